// Linear algebra: matrices of a stack are independent, so threads share them out. A matrix is copied to scratch as
// double, decomposed there, and its packed factors are converted back.
#include <algorithm>

#include "backends/cpu/plan.h"
#include "kernels/linalg/linalg.h"

namespace ranvier::cpu {
namespace {

struct Params {
  Op op;
  std::int64_t count, m, n;        // matrices, their rows and columns
  std::int64_t right;              // columns of the right side (triangular_solve), of Q (qr), of U and V (svd, if full)
  std::int64_t in[2], out;         // elements for each matrix
  std::int64_t work;               // doubles of scratch for each thread
  bool flags[3];                   // lower, transpose, unit
  int threads;
};

void transpose(std::int64_t rows, std::int64_t columns, const double* from, std::int64_t from_width, double* to) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * from_width + j];
}

// U, S, V^T of a (m x n) into `out`; of a wide matrix by its transpose. `columns_u`, `columns_v`: all, or the smaller size.
void svd_packed(const Params& p, double* a, double* out, double* free) {
  const std::int64_t k = std::min(p.m, p.n), tall = std::max(p.m, p.n), columns = p.right != 0 ? tall : k;
  double *u = free, *v = u + tall * columns, *turned = v + k * k;
  const bool is_wide = p.m < p.n;
  if (is_wide) transpose(p.m, p.n, a, p.n, turned);
  double* s = out + p.m * (is_wide ? k : columns);
  linalg::svd(tall, k, columns, is_wide ? turned : a, u, s, v);
  if (is_wide) {  // A^T = U S V^T: the roles change
    std::copy(v, v + k * k, out);
    transpose(tall, columns, u, columns, s + k);
  } else {
    std::copy(u, u + tall * columns, out);
    transpose(k, k, v, k, s + k);
  }
}

// (x + x^T) / 2, in place.
void symmetrize(std::int64_t n, double* x) {
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < i; ++j) x[i * n + j] = x[j * n + i] = (x[i * n + j] + x[j * n + i]) / 2;
}

// The matrix `x` (and `y`) into `out`; all three in scratch, followed by `free` memory.
void decompose(const Params& p, double* x, double* y, double* out, double* free) {
  const std::int64_t n = p.n;
  switch (p.op) {
    case Op::lu:
      std::copy(x, x + n * n, out);
      return linalg::lu(n, out, out + n * n, out + (n + 1) * n);
    case Op::triangular_solve:
      std::copy(y, y + n * p.right, out);
      return linalg::triangular_solve(n, p.right, x, out, p.flags[0], p.flags[1], p.flags[2]);
    case Op::cholesky:
      symmetrize(n, x);
      std::copy(x, x + n * n, out);
      return linalg::cholesky(n, out);
    case Op::qr:
      linalg::qr(p.m, n, p.right, x, out, free);
      std::copy(x, x + p.right * n, out + p.m * p.right);
      return;
    case Op::eigh:
      symmetrize(n, x);
      return linalg::eigh(n, x, out, out + n);
    default: return svd_packed(p, x, out, free);
  }
}

template <class T>
void run(const Step& step, Operands operands) {
  const auto& p = step.as<Params>();
  const bool is_pair = p.op == Op::triangular_solve;
  run_tasks(step, p.threads, p.count, [&](std::int64_t i, int thread) {
    double* x = static_cast<double*>(operands.scratch) + thread * p.work;
    double *y = x + p.in[0], *out = y + p.in[1];
    const T* from = static_cast<const T*>(operands[0]) + i * p.in[0];
    std::copy(from, from + p.in[0], x);
    if (is_pair) {
      const T* other = static_cast<const T*>(operands[1]) + i * p.in[1];
      std::copy(other, other + p.in[1], y);
    }
    decompose(p, x, y, out, out + p.out);
    T* to = static_cast<T*>(operands[is_pair ? 2 : 1]) + i * p.out;
    std::transform(out, out + p.out, to, [](double value) { return static_cast<T>(value); });
  });
}

std::int64_t matrix_size(const Shape& shape) { return shape[shape.rank() - 2] * shape.back(); }

}  // namespace

Step plan_linalg(const OpRequest& request) {
  const Shape& shape = request.inputs[0].shape;
  Params p{};
  p.op = op_of(request.op);
  p.m = shape[shape.rank() - 2], p.n = shape.back();
  p.count = 1;
  for (int i = 0; i + 2 < shape.rank(); ++i) p.count *= shape[i];
  p.in[0] = matrix_size(shape);
  p.out = p.count == 0 ? 0 : request.output.shape.size() / p.count;
  std::int64_t free = 0;
  const std::int64_t large = std::max(p.m, p.n), small = std::min(p.m, p.n);
  if (p.op == Op::triangular_solve) {
    const char* names[] = {"lower", "transpose", "unit"};
    for (int i = 0; i < 3; ++i) p.flags[i] = request.attributes.get<bool>(names[i]);
    p.right = request.inputs[1].shape.back();
    p.in[1] = matrix_size(request.inputs[1].shape);
  } else if (p.op == Op::qr) {
    p.right = request.attributes.get<bool>("complete") ? p.m : small;
    free = p.m + p.n;
  } else if (p.op == Op::svd) {
    p.right = request.attributes.get<bool>("full");
    free = large * (p.right != 0 ? large : small) + small * small + large * small;
  }
  p.work = p.in[0] + p.in[1] + p.out + free;
  const double sweeps = p.op == Op::eigh || p.op == Op::svd ? 60 : 1;
  const double flops = sweeps * static_cast<double>(small * large + p.in[1]);
  p.threads = threads_for(static_cast<double>(p.count) * flops * static_cast<double>(small), request.max_threads);
  Step step = make_step(request, request.output.dtype == DType::f32 ? run<float> : run<double>, p, static_cast<double>(small));
  step.scratch_bytes = static_cast<std::size_t>(p.work * p.threads) * sizeof(double);
  return step;
}

}  // namespace ranvier::cpu
