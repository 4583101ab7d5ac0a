// LU, Cholesky, QR and triangular systems.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/linalg/linalg.h"

namespace ranvier::linalg {

void lu(Size n, double* a, double* pivots, double* permutation) {
  for (Size i = 0; i < n; ++i) permutation[i] = static_cast<double>(i);
  for (Size k = 0; k < n; ++k) {
    Size pivot = k;
    for (Size i = k + 1; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    pivots[k] = static_cast<double>(pivot);
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
      std::swap(permutation[k], permutation[pivot]);
    }
    const double diagonal = a[k * n + k];
    if (diagonal == 0) continue;  // the column is 0 from here down: nothing to eliminate
    for (Size i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / diagonal;
      a[i * n + k] = factor;
      for (Size j = k + 1; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
}

void triangular_solve(Size n, Size m, const double* a, double* b, bool lower, bool transpose, bool unit) {
  const bool forward = lower != transpose;
  for (Size step = 0; step < n; ++step) {
    const Size k = forward ? step : n - 1 - step;
    double* row = b + k * m;
    if (!unit)
      for (Size j = 0; j < m; ++j) row[j] /= a[k * n + k];
    const Size begin = forward ? k + 1 : 0, end = forward ? n : k;
    for (Size i = begin; i < end; ++i) {
      const double factor = transpose ? a[k * n + i] : a[i * n + k];
      for (Size j = 0; j < m; ++j) b[i * m + j] -= factor * row[j];
    }
  }
}

void cholesky(Size n, double* a) {
  bool definite = true;
  for (Size k = 0; k < n; ++k) {
    definite = definite && a[k * n + k] > 0;
    const double diagonal = std::sqrt(a[k * n + k]);
    a[k * n + k] = diagonal;
    for (Size i = k + 1; i < n; ++i) a[i * n + k] /= diagonal;
    for (Size i = k + 1; i < n; ++i)
      for (Size j = k + 1; j <= i; ++j) a[i * n + j] -= a[i * n + k] * a[j * n + k];
  }
  for (Size i = 0; i < n; ++i) {
    if (!definite) std::fill(a + i * n, a + i * n + i + 1, std::numeric_limits<double>::quiet_NaN());
    std::fill(a + i * n + i + 1, a + (i + 1) * n, 0.0);
  }
}

namespace {

// Applies I - tau v v^T to the columns [begin, end) of a matrix of `width` columns; v is its rows' part from `top` on.
void reflect(Size m, Size width, Size top, Size begin, Size end, const double* v, double tau, double* matrix, double* sums) {
  std::fill(sums + begin, sums + end, 0.0);
  for (Size i = top; i < m; ++i)
    for (Size j = begin; j < end; ++j) sums[j] += v[i * width] * matrix[i * width + j];
  for (Size i = top; i < m; ++i) {
    const double factor = tau * v[i * width];
    for (Size j = begin; j < end; ++j) matrix[i * width + j] -= factor * sums[j];
  }
}

}  // namespace

void qr(Size m, Size n, Size columns, double* a, double* q, double* scratch) {
  const Size steps = std::min(m, n);
  double *taus = scratch, *sums = scratch + m;
  for (Size k = 0; k < steps; ++k) {
    double square = 0;
    for (Size i = k + 1; i < m; ++i) square += a[i * n + k] * a[i * n + k];
    const double head = a[k * n + k];
    if (square == 0) {
      taus[k] = 0;
      continue;
    }
    const double norm = -std::copysign(std::sqrt(head * head + square), head);
    taus[k] = (norm - head) / norm;
    for (Size i = k + 1; i < m; ++i) a[i * n + k] /= head - norm;
    a[k * n + k] = 1;
    reflect(m, n, k, k + 1, n, a + k, taus[k], a, sums);
    a[k * n + k] = norm;
  }
  // Q = H_0 H_1 ... applied to the first columns of the identity, the last reflection first.
  std::fill(q, q + m * columns, 0.0);
  for (Size i = 0; i < columns; ++i) q[i * columns + i] = 1;
  for (Size k = steps - 1; k >= 0; --k) {
    for (Size j = k; j < columns; ++j) {
      double sum = q[k * columns + j];
      for (Size i = k + 1; i < m; ++i) sum += a[i * n + k] * q[i * columns + j];
      sum *= taus[k];
      q[k * columns + j] -= sum;
      for (Size i = k + 1; i < m; ++i) q[i * columns + j] -= a[i * n + k] * sum;
    }
  }
  for (Size i = 1; i < m; ++i) std::fill(a + i * n, a + i * n + std::min(i, n), 0.0);
}

}  // namespace ranvier::linalg
