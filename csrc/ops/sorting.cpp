// Order: the indices that sort the last axis, and places in a sorted row. Sorted values are gathered by these indices,
// which is where their gradients come from.
#include <cstdint>
#include <limits>

#include "ops/gradient.h"

namespace ranvier {
namespace {

void check_length(const char* op, std::int64_t length) {
  require(length <= std::numeric_limits<std::int32_t>::max(), op, ": an axis of ", length, " elements is too long for int32 indices.");
}

TensorType infer_argsort(const InferArgs& args) {
  const TensorType& x = args.inputs[0];
  if (!is_compute(x.dtype)) fail(ErrorKind::kType, "argsort: dtype ", name_of(x.dtype), " is not offered.");
  require(x.shape.rank() >= 1, "argsort: a scalar has no axis to sort.");
  check_length("argsort", x.shape.back());
  args.attributes.get<bool>("descending");
  const std::int64_t count = args.attributes.get<std::int64_t>("count");
  require(count >= 0 && count <= x.shape.back(), "argsort: cannot take ", count, " of ", x.shape.back(), " elements.");
  Shape shape = x.shape;
  shape[shape.rank() - 1] = count;
  return {DType::i32, shape};
}

TensorType infer_searchsorted(const InferArgs& args) {
  const TensorType &row = args.inputs[0], &values = args.inputs[1];
  if (!is_compute(row.dtype) || row.dtype != values.dtype)
    fail(ErrorKind::kType, "searchsorted: expected two operands of one dtype, got ", name_of(row.dtype), " and ",
         name_of(values.dtype), ".");
  require(row.shape.rank() == 1, "searchsorted: the sorted sequence must have 1 axis, got shape ", row.shape.str(), ".");
  check_length("searchsorted", row.shape[0]);
  args.attributes.get<bool>("right");
  return {DType::i32, values.shape};
}

}  // namespace

const OpDef def_argsort = {"argsort", 1, 1, 0, infer_argsort, nullptr};
const OpDef def_searchsorted = {"searchsorted", 2, 2, 0, infer_searchsorted, nullptr};

}  // namespace ranvier
