// LU, Cholesky, QR and triangular systems, of stacks of matrices. Sources of the rules: Giles, "Collected matrix
// derivative results for forward and reverse mode algorithmic differentiation" (2008); Murray, "Differentiation of the
// Cholesky decomposition" (2016); Seeger et al., "Auto-differentiating linear algebra" (2017).
#include "ops/linalg.h"

#include <algorithm>

#include "base/memory.h"

namespace ranvier {

MatrixShape matrix_shape(const InferArgs& args, int input) {
  const TensorType& x = args.inputs[static_cast<std::size_t>(input)];
  if (!is_float(x.dtype)) fail(ErrorKind::kType, args.op, ": expected float32 or float64, got ", name_of(x.dtype), ".");
  const int rank = x.shape.rank();
  require(rank >= 2, args.op, ": expected matrices, got shape ", x.shape.str(), ".");
  return {Shape(std::vector<std::int64_t>(x.shape.begin(), x.shape.end() - 2)), x.shape[rank - 2], x.shape[rank - 1]};
}

std::int64_t square_size(const InferArgs& args, int input) {
  const MatrixShape shape = matrix_shape(args, input);
  require(shape.rows == shape.columns, args.op, ": expected square matrices, got shape ",
          args.inputs[static_cast<std::size_t>(input)].shape.str(), ".");
  return shape.rows;
}

Shape with_dims(Shape lead, std::initializer_list<std::int64_t> dims) {
  for (std::int64_t dim : dims) lead.push_back(dim);
  return lead;
}

NodeId MatrixRules::transposed(NodeId x) {
  const int rank = b.shape(x).rank();
  Ints axes;
  for (int i = 0; i < rank - 2; ++i) axes.push_back(i);
  axes.push_back(rank - 1);
  axes.push_back(rank - 2);
  return b.emit(Op::transpose, {x}, {{"axes", axes}});
}

NodeId MatrixRules::solved(NodeId triangle, NodeId x, bool lower, bool transpose, bool unit) {
  return b.emit(Op::triangular_solve, {triangle, x}, {{"lower", lower}, {"transpose", transpose}, {"unit", unit}});
}

NodeId MatrixRules::constant(std::int64_t rows, std::int64_t columns, double below, double diagonal, double above) {
  require_memory(checked_bytes(product_of({rows, columns}), sizeof(double)));
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(rows * columns));
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) values.push_back(i > j ? below : i == j ? diagonal : above);
  return b.cast(b.graph().add_constant(def_constant, {DType::f64, {rows, columns}}, values.data()), dtype);
}

NodeId MatrixRules::weighted(NodeId x, double below, double diagonal, double above) {
  const Shape shape = b.shape(x);
  const std::int64_t rows = shape[shape.rank() - 2], columns = shape.back();
  // What does not count is selected away, not multiplied by 0: it may be infinite.
  const NodeId counts = b.greater(constant(rows, columns, below != 0, diagonal != 0, above != 0), zero());
  return b.select(counts, b.mul(x, constant(rows, columns, below, diagonal, above)), zero());
}

NodeId MatrixRules::identity(std::int64_t n) { return constant(n, n, 0, 1, 0); }

NodeId MatrixRules::rows(NodeId x, std::int64_t begin, std::int64_t count) {
  Ints size = b.shape(x).to_vector(), from(size.size(), 0);
  from[from.size() - 2] = begin;
  size[size.size() - 2] = count;
  return b.slice(x, from, size, Ints(size.size(), 1));
}

NodeId MatrixRules::part(NodeId packed, std::int64_t begin, std::int64_t rows, std::int64_t columns) {
  Ints size = b.shape(packed).to_vector(), from(size.size(), 0);
  from.back() = begin;
  size.back() = columns < 0 ? rows : rows * columns;
  const NodeId flat = b.slice(packed, from, size, Ints(size.size(), 1));
  if (columns < 0) return flat;
  size.back() = rows;
  size.push_back(columns);
  return b.reshape(flat, Shape(size));
}

NodeId MatrixRules::reshaped_vector(NodeId x, bool column) {
  const Shape shape = b.shape(x);
  std::vector<std::int64_t> dims = shape.to_vector();
  dims.insert(column ? dims.end() : dims.end() - 1, 1);
  return b.reshape(x, Shape(dims));
}

namespace {

TensorType infer_lu(const InferArgs& args) {
  const std::int64_t n = square_size(args, 0);
  return {args.inputs[0].dtype, with_dims(matrix_shape(args, 0).lead, {n + 2, n})};
}
// Of P A = L U: A' = P^T L^-T (tril(L^T L', -1) + triu(U' U^T)) U^-T.
void grad_lu(GradArgs& a) {
  MatrixRules r(a);
  const std::int64_t n = a.b.shape(a.in(0)).back();
  const NodeId factors = r.rows(a.y, 0, n), g = r.rows(a.g, 0, n);
  const NodeId permutation = a.b.cast(r.rows(a.y, n + 1, 1), DType::i64);
  const NodeId l = a.b.add(r.weighted(factors, 1, 0, 0), r.identity(n)), u = r.weighted(factors, 0, 1, 1);
  const NodeId inner = a.b.add(r.weighted(r.product(l, r.weighted(g, 1, 0, 0), true), 1, 0, 0),
                               r.weighted(r.product(r.weighted(g, 0, 1, 1), u, false, true), 0, 1, 1));
  const NodeId permuted = r.solved(l, r.solved_right(inner, u, false, false), true, true, true);
  const NodeId one_hot = a.b.emit(Op::one_hot, {permutation}, {{"num_classes", n}, {"dtype", r.dtype}});
  Shape square = a.b.shape(a.in(0));
  a.set(0, r.product(a.b.reshape(one_hot, square), permuted, true));
}

TensorType infer_triangular_solve(const InferArgs& args) {
  const std::int64_t n = square_size(args, 0);
  const MatrixShape a = matrix_shape(args, 0), b = matrix_shape(args, 1);
  if (args.inputs[0].dtype != args.inputs[1].dtype)
    fail(ErrorKind::kType, "triangular_solve: operands of dtype ", name_of(args.inputs[0].dtype), " and ",
         name_of(args.inputs[1].dtype), " do not mix.");
  require(a.lead == b.lead && b.rows == n, "triangular_solve: shapes ", args.inputs[0].shape.str(), " and ",
          args.inputs[1].shape.str(), " do not fit.");
  for (const char* name : {"lower", "transpose", "unit"}) args.attributes.get<bool>(name);
  return args.inputs[1];
}
// Of op(A) X = B: B' = op(A)^-T X', A' = -B' X^T, or its transpose, on A's triangle.
void grad_triangular_solve(GradArgs& a) {
  MatrixRules r(a);
  const bool lower = a.attributes().get<bool>("lower"), transpose = a.attributes().get<bool>("transpose");
  const bool unit = a.attributes().get<bool>("unit");
  const NodeId b_grad = r.solved(a.in(0), a.g, lower, !transpose, unit);
  if (a.wants(1)) a.set(1, b_grad);
  if (!a.wants(0)) return;
  const NodeId whole = transpose ? r.product(a.y, b_grad, false, true) : r.product(b_grad, a.y, false, true);
  a.set(0, r.weighted(whole, lower ? -1 : 0, unit ? 0 : -1, lower ? 0 : -1));
}

TensorType infer_cholesky(const InferArgs& args) {
  square_size(args, 0);
  return args.inputs[0];
}
// Of (A + A^T) / 2 = L L^T: S = L^-T phi(L^T L') L^-1, phi taking the lower triangle with half the diagonal; A' = (S + S^T) / 2.
void grad_cholesky(GradArgs& a) {
  MatrixRules r(a);
  const NodeId phi = r.weighted(r.product(a.y, a.g, true), 1, 0.5, 0);
  const NodeId left = r.solved(a.y, phi, true, true);
  const NodeId s = r.solved_right(left, a.y, true, true);
  a.set(0, a.b.mul(a.b.add(s, r.transposed(s)), 0.5));
}

std::int64_t factor_columns(const MatrixShape& x, const Attributes& attributes) {
  return attributes.get<bool>("complete") ? x.rows : std::min(x.rows, x.columns);
}
TensorType infer_qr(const InferArgs& args) {
  const MatrixShape x = matrix_shape(args, 0);
  const std::int64_t columns = factor_columns(x, args.attributes);
  return {args.inputs[0].dtype, with_dims(x.lead, {product_of({x.rows, columns}) + product_of({columns, x.columns})})};
}
// Of A = Q R: M = R R'^T - Q'^T Q; A' = (Q' + Q (tril(M) + tril(M, -1)^T)) R^-T.
void grad_qr(GradArgs& a) {
  MatrixRules r(a);
  const Shape shape = a.b.shape(a.in(0));
  const std::int64_t m = shape[shape.rank() - 2], n = shape.back();
  const std::int64_t k = a.attributes().get<bool>("complete") ? m : std::min(m, n);
  require(k == n, "qr: there is no gradient for matrices with more columns than rows, nor for a complete Q of matrices "
          "with more rows than columns; the shape is ", shape.str(), ".");
  const NodeId q = r.part(a.y, 0, m, n), triangle = r.part(a.y, m * n, n, n);
  const NodeId q_grad = r.part(a.g, 0, m, n), r_grad = r.part(a.g, m * n, n, n);
  const NodeId inner = a.b.sub(r.product(triangle, r_grad, false, true), r.product(q_grad, q, true));
  const NodeId mirrored = a.b.add(r.weighted(inner, 1, 1, 0), r.transposed(r.weighted(inner, 1, 0, 0)));
  a.set(0, r.solved_right(a.b.add(q_grad, r.product(q, mirrored)), triangle, false, false));
}

}  // namespace

const OpDef def_lu = {"lu", 1, 1, 0, infer_lu, grad_lu};
const OpDef def_triangular_solve = {"triangular_solve", 2, 2, 0, infer_triangular_solve, grad_triangular_solve};
const OpDef def_cholesky = {"cholesky", 1, 1, 0, infer_cholesky, grad_cholesky};
const OpDef def_qr = {"qr", 1, 1, 0, infer_qr, grad_qr};

}  // namespace ranvier
