// Eigenvalues of symmetric matrices and singular values, by Jacobi's rotations: slower than tridiagonal methods for large
// matrices, short, and as accurate as any for small ones.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/linalg/linalg.h"

namespace ranvier::linalg {
namespace {

constexpr int kMostSweeps = 60;  // they converge quadratically: ten are many
constexpr double kEps = std::numeric_limits<double>::epsilon();

struct Rotation {
  double c, s;
};

// The rotation that makes the off-diagonal element `pq` of a symmetric 2 x 2 matrix zero.
Rotation diagonalizing(double pp, double pq, double qq) {
  const double theta = (qq - pp) / (2 * pq);
  const double t = std::copysign(1.0, theta) / (std::fabs(theta) + std::sqrt(1 + theta * theta));
  const double c = 1 / std::sqrt(1 + t * t);
  return {c, t * c};
}

// Columns p and q of a matrix of `width` columns and `rows` rows become c p - s q and s p + c q.
void rotate_columns(Size rows, Size width, Size p, Size q, Rotation r, double* matrix) {
  for (Size i = 0; i < rows; ++i) {
    const double x = matrix[i * width + p], y = matrix[i * width + q];
    matrix[i * width + p] = r.c * x - r.s * y;
    matrix[i * width + q] = r.s * x + r.c * y;
  }
}

void set_identity(Size n, double* v) {
  std::fill(v, v + n * n, 0.0);
  for (Size i = 0; i < n; ++i) v[i * n + i] = 1;
}

void swap_columns(Size rows, Size width, Size p, Size q, double* matrix) {
  for (Size i = 0; i < rows; ++i) std::swap(matrix[i * width + p], matrix[i * width + q]);
}

double column_product(Size rows, Size width, Size p, Size q, const double* matrix) {
  double sum = 0;
  for (Size i = 0; i < rows; ++i) sum += matrix[i * width + p] * matrix[i * width + q];
  return sum;
}

// Whether the largest component of a column (the first one, of equal ones) is negative.
bool points_down(Size rows, Size width, Size at, const double* matrix) {
  Size largest = 0;
  for (Size i = 1; i < rows; ++i)
    if (std::fabs(matrix[i * width + at]) > std::fabs(matrix[largest * width + at])) largest = i;
  return rows > 0 && matrix[largest * width + at] < 0;
}

void negate_column(Size rows, Size width, Size at, double* matrix) {
  for (Size i = 0; i < rows; ++i) matrix[i * width + at] = -matrix[i * width + at];
}

// Fills column `at` of u (m x columns) with a unit vector orthogonal to the columns before it: the one of the unit
// vectors that is furthest from them, orthogonalized twice.
void complete_column(Size m, Size columns, Size at, double* u) {
  Size furthest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (Size i = 0; i < m; ++i) {
    double share = 0;
    for (Size j = 0; j < at; ++j) share += u[i * columns + j] * u[i * columns + j];
    if (share < least) least = share, furthest = i;
  }
  for (Size i = 0; i < m; ++i) u[i * columns + at] = i == furthest;
  for (int round = 0; round < 2; ++round)
    for (Size j = 0; j < at; ++j) {
      const double share = column_product(m, columns, j, at, u);
      for (Size i = 0; i < m; ++i) u[i * columns + at] -= share * u[i * columns + j];
    }
  const double norm = std::sqrt(column_product(m, columns, at, at, u));
  for (Size i = 0; i < m; ++i) u[i * columns + at] /= norm;
}

}  // namespace

void eigh(Size n, double* a, double* w, double* v) {
  set_identity(n, v);
  double norm = 0;
  for (Size i = 0; i < n * n; ++i) norm += a[i] * a[i];
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    double off = 0;
    for (Size p = 0; p < n; ++p)
      for (Size q = p + 1; q < n; ++q) off += a[p * n + q] * a[p * n + q];
    if (!(off > norm * kEps * kEps * 1e-4)) break;
    for (Size p = 0; p < n; ++p)
      for (Size q = p + 1; q < n; ++q) {
        if (a[p * n + q] == 0) continue;
        const Rotation r = diagonalizing(a[p * n + p], a[p * n + q], a[q * n + q]);
        rotate_columns(n, n, p, q, r, a);
        for (Size j = 0; j < n; ++j) {
          const double x = a[p * n + j], y = a[q * n + j];
          a[p * n + j] = r.c * x - r.s * y;
          a[q * n + j] = r.s * x + r.c * y;
        }
        a[p * n + q] = a[q * n + p] = 0;
        rotate_columns(n, n, p, q, r, v);
      }
  }
  for (Size i = 0; i < n; ++i) w[i] = a[i * n + i];
  for (Size k = 0; k < n; ++k) {
    const Size least = std::min_element(w + k, w + n) - w;
    if (least != k) {
      std::swap(w[k], w[least]);
      swap_columns(n, n, k, least, v);
    }
    if (points_down(n, n, k, v)) negate_column(n, n, k, v);
  }
}

void svd(Size m, Size n, Size columns, double* a, double* u, double* s, double* v) {
  set_identity(n, v);
  bool rotated = true;
  for (int sweep = 0; rotated && sweep < kMostSweeps; ++sweep) {
    rotated = false;
    for (Size p = 0; p < n; ++p)
      for (Size q = p + 1; q < n; ++q) {
        const double pp = column_product(m, n, p, p, a), qq = column_product(m, n, q, q, a);
        const double pq = column_product(m, n, p, q, a);
        if (!(std::fabs(pq) > kEps * std::sqrt(pp * qq))) continue;
        rotated = true;
        const Rotation r = diagonalizing(pp, pq, qq);
        rotate_columns(m, n, p, q, r, a);
        rotate_columns(n, n, p, q, r, v);
      }
  }
  for (Size k = 0; k < n; ++k) s[k] = std::sqrt(column_product(m, n, k, k, a));
  for (Size k = 0; k < n; ++k) {
    const Size largest = std::max_element(s + k, s + n) - s;
    if (largest == k) continue;
    std::swap(s[k], s[largest]);
    swap_columns(m, n, k, largest, a);
    swap_columns(n, n, k, largest, v);
  }
  std::fill(u, u + m * columns, 0.0);
  for (Size k = 0; k < columns; ++k) {
    // What is left of a column whose singular value is 0 is rounding. (A NaN is passed on.)
    if (k >= n || s[k] <= s[0] * kEps * static_cast<double>(m)) complete_column(m, columns, k, u);
    else
      for (Size i = 0; i < m; ++i) u[i * columns + k] = a[i * n + k] / s[k];
    if (!points_down(m, columns, k, u)) continue;
    negate_column(m, columns, k, u);
    if (k < n) negate_column(n, n, k, v);
  }
}

}  // namespace ranvier::linalg
