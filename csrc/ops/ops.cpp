#include "ops/ops.h"

#include <string>
#include <unordered_map>

namespace ranvier {
namespace {

const OpDef* const kDefs[] = {
#define RANVIER_OP(name) &def_##name,
#include "ops/ops.def"
#undef RANVIER_OP
};

}  // namespace

const OpDef& op_def(Op op) { return *kDefs[static_cast<int>(op)]; }

Op op_of(const OpDef& def) {
  static const auto map = [] {
    std::unordered_map<const OpDef*, Op> result;
    for (int i = 0; i < static_cast<int>(Op::kCount); ++i) result.emplace(kDefs[i], static_cast<Op>(i));
    return result;
  }();
  return map.at(&def);
}

const OpDef* find_op(std::string_view name) {
  static const auto map = [] {
    std::unordered_map<std::string_view, const OpDef*> result;
    for (const OpDef* def : kDefs) result.emplace(def->name, def);
    return result;
  }();
  const auto it = map.find(name);
  return it == map.end() ? nullptr : it->second;
}

std::vector<const OpDef*> all_ops() { return {std::begin(kDefs), std::end(kDefs)}; }

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  const int rank = a.rank() > b.rank() ? a.rank() : b.rank();
  std::vector<std::int64_t> dims(static_cast<std::size_t>(rank));
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
    const std::int64_t da = ia < 0 ? 1 : a[ia], db = ib < 0 ? 1 : b[ib];
    if (da != db && da != 1 && db != 1)
      fail(ErrorKind::kValue, op, ": shapes ", a.str(), " and ", b.str(), " cannot be broadcast together.");
    dims[static_cast<std::size_t>(i)] = da == 1 ? db : da;
  }
  return Shape(dims);
}

}  // namespace ranvier
