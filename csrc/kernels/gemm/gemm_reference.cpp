// The oracle: a triple loop with wider accumulators. Slow, and kept for ever.
#include "kernels/gemm/bf16.h"
#include "kernels/gemm/gemm.h"

namespace ranvier {
namespace {

template <class Sum, class T>
Sum value_of(T x) {
  return static_cast<Sum>(x);
}
// A bfloat16; a denormal one is a zero.
template <>
double value_of<double>(std::uint16_t x) {
  return (x & 0x7f80u) == 0 ? 0.0 : static_cast<double>(float_of_bf16(x));
}

template <class T, class Sum, class Out = T>
void reference(const GemmProblem& q, const T* a, const T* b, Out* c) {
  for (std::int64_t i = 0; i < q.m; ++i) {
    for (std::int64_t j = 0; j < q.n; ++j) {
      Sum sum = 0;
      for (std::int64_t p = 0; p < q.k; ++p) {
        const T left = q.trans_a ? a[p * q.lda + i] : a[i * q.lda + p];
        const T right = q.trans_b ? b[j * q.ldb + p] : b[p * q.ldb + j];
        sum += value_of<Sum>(left) * value_of<Sum>(right);
      }
      c[i * q.ldc + j] = static_cast<Out>(sum);
    }
  }
}

}  // namespace

void gemm_reference(const GemmProblem& problem, const void* a, const void* b, void* c) {
  if (problem.bf16) {
    return reference<std::uint16_t, double>(problem, static_cast<const std::uint16_t*>(a),
                                            static_cast<const std::uint16_t*>(b), static_cast<float*>(c));
  }
  switch (problem.dtype) {
    case DType::f32:
      return reference<float, double>(problem, static_cast<const float*>(a), static_cast<const float*>(b),
                                      static_cast<float*>(c));
    case DType::f64:
      return reference<double, long double>(problem, static_cast<const double*>(a),
                                            static_cast<const double*>(b), static_cast<double*>(c));
    // Integers wrap around, as NumPy's do: unsigned arithmetic has that defined.
    case DType::i32:
      return reference<std::uint32_t, std::uint32_t>(problem, static_cast<const std::uint32_t*>(a),
                                                     static_cast<const std::uint32_t*>(b),
                                                     static_cast<std::uint32_t*>(c));
    case DType::i64:
      return reference<std::uint64_t, std::uint64_t>(problem, static_cast<const std::uint64_t*>(a),
                                                     static_cast<const std::uint64_t*>(b),
                                                     static_cast<std::uint64_t*>(c));
    default:
      return;  // gemm_plan has refused the others
  }
}

}  // namespace ranvier
