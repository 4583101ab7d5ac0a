// Dense linear algebra of small matrices: row-major, contiguous, in double whatever the caller's type. Compiled once and
// sequential, so that the bits depend on nothing; plain loops, ordered for the cache. Sources: Golub and Van Loan,
// "Matrix computations", 4th edition.
#pragma once

#include <cstdint>

namespace ranvier::linalg {

using Size = std::int64_t;

// P A = L U by rows with partial pivoting, in place: L strictly below the diagonal (its own is 1), U on and above.
// pivots[k]: the row that step k exchanged with row k; permutation[i]: the row of A that became row i.
void lu(Size n, double* a, double* pivots, double* permutation);

// Solves op(A) X = B in place: A is n x n and triangular (what is on its other side is not read), B is n x m.
// `transpose`: op(A) = A^T; `unit`: the diagonal counts as 1.
void triangular_solve(Size n, Size m, const double* a, double* b, bool lower, bool transpose, bool unit);

// A = L L^T, in place, zeros above the diagonal; reads the lower triangle. NaN everywhere on and below the diagonal if A
// is not positive definite.
void cholesky(Size n, double* a);

// A = Q R by Householder's reflections. a: m x n, overwritten with R above and on its diagonal, zeros below; q: m x
// columns, its first `columns` <= m columns. scratch: m + n.
void qr(Size m, Size n, Size columns, double* a, double* q, double* scratch);

// Eigenvalues in increasing order and, as columns of v, unit eigenvectors of a symmetric matrix by Jacobi's cyclic
// rotations; `a` is destroyed. An eigenvector's largest component is positive (the first one, of equal ones).
void eigh(Size n, double* a, double* w, double* v);

// A = U S V^T by one-sided Jacobi rotations; m >= n. a (m x n) is destroyed; s: n falling singular values; u: m x
// columns with n <= columns <= m, orthonormal; v: n x n, its columns the right vectors. The largest component of a left
// vector is positive, as of an eigenvector.
void svd(Size m, Size n, Size columns, double* a, double* u, double* s, double* v);

}  // namespace ranvier::linalg
