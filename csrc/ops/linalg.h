// What the rules of linear algebra share: batches of matrices, parts of packed results, triangles.
//
// A node has one output. A decomposition's factors are packed into it, one after the other, in one last axis (or, for
// `lu`, as rows): the factors are slices, and the rule sees the gradients of all of them at once.
#pragma once

#include "ops/gradient.h"

namespace ranvier {

// The last two dimensions of a stack of float matrices; an Error naming `op` otherwise.
struct MatrixShape {
  Shape lead;
  std::int64_t rows, columns;
};
MatrixShape matrix_shape(const InferArgs& args, int input);
std::int64_t square_size(const InferArgs& args, int input);
Shape with_dims(Shape lead, std::initializer_list<std::int64_t> dims);

// Gradient rules in matrix notation.
class MatrixRules {
 public:
  explicit MatrixRules(GradArgs& args) : a(args), b(args.b), dtype(b.dtype(args.y)) {}

  NodeId product(NodeId x, NodeId y, bool transpose_x = false, bool transpose_y = false) {
    return b.matmul(x, y, transpose_x, transpose_y);
  }
  NodeId transposed(NodeId x);
  // The triangular matrix's inverse (transposed if asked) times x.
  NodeId solved(NodeId triangle, NodeId x, bool lower, bool transpose, bool unit = false);
  // x times the inverse of a triangular matrix's transpose.
  NodeId solved_right(NodeId x, NodeId triangle, bool lower, bool transpose, bool unit = false) {
    return transposed(solved(triangle, transposed(x), lower, transpose, unit));
  }
  // x times weights that depend on the side of the diagonal.
  NodeId weighted(NodeId x, double below, double diagonal, double above);
  // `count` rows of a stack of matrices, from `begin` on.
  NodeId rows(NodeId x, std::int64_t begin, std::int64_t count);
  // Part of the last axis, as matrices of this shape (columns < 0: as vectors).
  NodeId part(NodeId packed, std::int64_t begin, std::int64_t rows, std::int64_t columns);
  NodeId zero() { return b.scalar(dtype, 0.0); }
  NodeId identity(std::int64_t n);
  // A vector as a matrix of one row, or of one column.
  NodeId as_row(NodeId x) { return reshaped_vector(x, false); }
  NodeId as_column(NodeId x) { return reshaped_vector(x, true); }

  GradArgs& a;
  Builder& b;
  const DType dtype;

 private:
  NodeId reshaped_vector(NodeId x, bool column);
  NodeId constant(std::int64_t rows, std::int64_t columns, double below, double diagonal, double above);
};

}  // namespace ranvier
