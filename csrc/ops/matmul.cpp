// Matrix product of the last two axes, with the transpositions folded in; leading axes broadcast.
#include "ops/matmul.h"

#include <algorithm>

#include "ops/gradient.h"

namespace ranvier {
namespace {

Shape leading(const Shape& shape) {
  return Shape(std::vector<std::int64_t>(shape.begin(), shape.end() - 2));
}

Shape as_rows(const Shape& shape) {
  std::int64_t rows = 1;
  for (int i = 0; i < shape.rank() - 1; ++i) rows *= shape[i];
  return {rows, shape.back()};
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
  if (!a.wants(1)) return;
  const Shape rows_of_x = a.b.shape(x), matrix = a.b.shape(w);
  if (!ta && rows_of_x.rank() > 2 && is_one_product(a.attributes(), rows_of_x, matrix)) {
    // One product over all rows, rather than a sum of one for each matrix.
    const NodeId rows = a.b.reshape(x, as_rows(rows_of_x)), gradients = a.b.reshape(a.g, as_rows(a.b.shape(a.g)));
    const NodeId sum = tb ? a.b.matmul(gradients, rows, true, false) : a.b.matmul(rows, gradients, true, false);
    return a.set(1, a.b.reshape(sum, matrix));
  }
  a.set(1, tb ? a.b.matmul(a.g, x, true, ta) : a.b.matmul(x, a.g, !ta, false));
}

bool is_one_matrix(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end() - 2, [](std::int64_t extent) { return extent == 1; });
}

}  // namespace

bool is_one_product(const MatmulFlags& flags, const Shape& a, const Shape& b) {
  return is_one_matrix(b) && (is_one_matrix(a) || !flags.transpose_a);
}

bool multiplies_along_k(const MatmulFlags& flags, const Shape& a, const Shape& b) {
  const std::int64_t m = a[a.rank() - (flags.transpose_a ? 1 : 2)], n = b[b.rank() - (flags.transpose_b ? 2 : 1)];
  const bool row = m == 1 && (is_one_matrix(a) || !is_one_product(flags, a, b)), column = n == 1;
  return (column && (row || !flags.transpose_a)) || (row && flags.transpose_b);
}

bool sums_in_strips(const Attributes& attributes, const Shape& a, const Shape& b) {
  return !attributes.has("in_order") && multiplies_along_k(attributes, a, b);
}

namespace {

std::optional<Contraction> rows_by_columns(const InferArgs& args, const TensorType& output) {
  if (!is_one_product(args.attributes, args.inputs[0].shape, args.inputs[1].shape)) return std::nullopt;
  const std::int64_t columns = output.shape.back();
  return Contraction{columns ? output.shape.size() / columns : 0, columns};
}

}  // namespace

const OpDef def_matmul = {"matmul", 2, 2, 0, infer_matmul, grad_matmul, CostClass::cheap, rows_by_columns};

}  // namespace ranvier
