// Matrix product of the last two axes, with the transpositions folded in; leading axes broadcast.
#include "ops/gradient.h"

namespace ranvier {
namespace {

Shape leading(const Shape& shape) {
  return Shape(std::vector<std::int64_t>(shape.begin(), shape.end() - 2));
}

TensorType infer_matmul(const InferArgs& args) {
  const TensorType &a = args.inputs[0], &b = args.inputs[1];
  if (a.dtype != b.dtype || !is_compute(a.dtype) || a.dtype == DType::b8)
    fail(ErrorKind::kType, "matmul: expected two float32, float64, int32 or int64 operands of one dtype, got ",
         name_of(a.dtype), " and ", name_of(b.dtype), ".");
  require(a.shape.rank() >= 2 && b.shape.rank() >= 2, "matmul: expected matrices, got shapes ", a.shape.str(), " and ",
          b.shape.str(), ".");
  const bool ta = args.attributes.get<bool>("transpose_a"), tb = args.attributes.get<bool>("transpose_b");
  const int ra = a.shape.rank(), rb = b.shape.rank();
  const std::int64_t m = a.shape[ra - (ta ? 1 : 2)], ka = a.shape[ra - (ta ? 2 : 1)];
  const std::int64_t kb = b.shape[rb - (tb ? 1 : 2)], n = b.shape[rb - (tb ? 2 : 1)];
  require(ka == kb, "matmul: the inner dimensions differ, ", ka, " and ", kb, ", of shapes ", a.shape.str(),
          ta ? " (transposed)" : "", " and ", b.shape.str(), tb ? " (transposed)." : ".");
  Shape shape = broadcast_shapes("matmul", leading(a.shape), leading(b.shape));
  shape.push_back(m);
  shape.push_back(n);
  return {a.dtype, shape};
}

void grad_matmul(GradArgs& a) {
  const bool ta = a.attributes().get<bool>("transpose_a"), tb = a.attributes().get<bool>("transpose_b");
  const NodeId x = a.in(0), w = a.in(1);
  if (a.wants(0)) a.set(0, ta ? a.b.matmul(w, a.g, tb, true) : a.b.matmul(a.g, w, false, !tb));
  if (a.wants(1)) a.set(1, tb ? a.b.matmul(a.g, x, true, ta) : a.b.matmul(x, a.g, !ta, false));
}

}  // namespace

const OpDef def_matmul = {"matmul", 2, 2, 0, infer_matmul, grad_matmul};

}  // namespace ranvier
