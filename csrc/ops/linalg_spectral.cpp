// Eigenvalues of symmetric matrices, and singular values. Sources of the rules: Giles (2008, see linalg.cpp); Townsend,
// "Differentiating the singular value decomposition" (2016). Where two values are equal the vectors have no derivative;
// their share is left out, so that gradients of the values alone stay finite.
#include <algorithm>

#include "ops/linalg.h"

namespace ranvier {
namespace {

// 1 / (x_j - x_i), and 0 where the two are equal; x holds the values as vectors.
NodeId inverse_gaps(MatrixRules& r, NodeId x) {
  const NodeId gaps = r.b.sub(r.as_row(x), r.as_column(x));
  const NodeId is_none = r.b.equal(gaps, r.zero()), one = r.b.scalar(r.dtype, 1.0);
  return r.b.select(is_none, r.zero(), r.b.div(one, r.b.select(is_none, one, gaps)));
}

TensorType infer_eigh(const InferArgs& args) {
  const std::int64_t n = square_size(args, 0);
  return {args.inputs[0].dtype, with_dims(matrix_shape(args, 0).lead, {n + n * n})};
}
// Of (A + A^T) / 2 = V diag(w) V^T: A' = the symmetric part of V (diag(w') + F * (V^T V')) V^T, F_ij = 1 / (w_j - w_i).
void grad_eigh(GradArgs& a) {
  MatrixRules r(a);
  const std::int64_t n = a.b.shape(a.in(0)).back();
  const NodeId w = r.part(a.y, 0, n, -1), v = r.part(a.y, n, n, n);
  const NodeId turned = a.b.mul(inverse_gaps(r, w), r.product(v, r.part(a.g, n, n, n), true));
  const NodeId inner = a.b.add(turned, a.b.mul(r.identity(n), r.as_row(r.part(a.g, 0, n, -1))));
  const NodeId whole = r.product(r.product(v, inner), v, false, true);
  a.set(0, a.b.mul(a.b.add(whole, r.transposed(whole)), 0.5));
}

TensorType infer_svd(const InferArgs& args) {
  const MatrixShape x = matrix_shape(args, 0);
  const std::int64_t k = std::min(x.rows, x.columns);
  const bool full = args.attributes.get<bool>("full");
  const std::int64_t left = product_of({x.rows, full ? x.rows : k}), right = product_of({x.columns, full ? x.columns : k});
  return {args.inputs[0].dtype, with_dims(x.lead, {left + k + right})};
}
// Of A = U S V^T, with J = F * (U^T U') and K = F * (V^T V'), F_ij = 1 / (s_j^2 - s_i^2):
//   A' = U ((J + J^T) S + S (K + K^T) + diag(s')) V^T + (1 - U U^T) U' S^-1 V^T + U S^-1 V'^T (1 - V V^T)
void grad_svd(GradArgs& a) {
  MatrixRules r(a);
  Builder& b = a.b;
  const Shape shape = b.shape(a.in(0));
  const std::int64_t m = shape[shape.rank() - 2], n = shape.back(), k = std::min(m, n);
  require(!a.attributes().get<bool>("full") || m == n, "svd: there is no gradient of all singular vectors of matrices of shape ",
          shape.str(), ": give full_matrices=False.");
  const NodeId u = r.part(a.y, 0, m, k), s = r.part(a.y, m * k, k, -1), vt = r.part(a.y, m * k + k, k, n);
  const NodeId u_grad = r.part(a.g, 0, m, k), s_grad = r.part(a.g, m * k, k, -1), vt_grad = r.part(a.g, m * k + k, k, n);
  const NodeId is_null = b.equal(s, r.zero()), one = b.scalar(r.dtype, 1.0);
  const NodeId inverse = b.select(is_null, r.zero(), b.div(one, b.select(is_null, one, s)));
  const NodeId gaps = inverse_gaps(r, b.mul(s, s));
  const NodeId j = b.mul(gaps, r.product(u, u_grad, true)), kk = b.mul(gaps, r.product(vt, vt_grad, false, true));
  const NodeId inner = b.add(b.add(b.mul(b.add(j, r.transposed(j)), r.as_row(s)), b.mul(r.as_column(s), b.add(kk, r.transposed(kk)))),
                             b.mul(r.identity(k), r.as_row(s_grad)));
  NodeId result = r.product(r.product(u, inner), vt);
  if (m > k) {
    const NodeId scaled = b.mul(u_grad, r.as_row(inverse));
    const NodeId outside = b.sub(scaled, r.product(u, r.product(u, scaled, true)));
    result = b.add(result, r.product(outside, vt));
  }
  if (n > k) {
    const NodeId scaled = b.mul(r.as_column(inverse), vt_grad);
    const NodeId outside = b.sub(scaled, r.product(r.product(scaled, vt, false, true), vt));
    result = b.add(result, r.product(u, outside));
  }
  a.set(0, result);
}

}  // namespace

const OpDef def_eigh = {"eigh", 1, 1, 0, infer_eigh, grad_eigh};
const OpDef def_svd = {"svd", 1, 1, 0, infer_svd, grad_svd};

}  // namespace ranvier
