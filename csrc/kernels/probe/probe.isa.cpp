// Multiply-adds from registers, to learn what the processor can do at most. Contract: kernels.def.
#include "kernels/table.h"
#include "simd/vec.h"

namespace ranvier::RANVIER_ISA {
namespace {

// Enough independent chains to hide a multiply-add's latency on two units, few enough to stay in registers.
constexpr int kChains = 10;

template <class T>
double probe(std::int64_t steps, T x, T y, std::int64_t* flops) {
  Vec<T> acc[kChains];
  const Vec<T> factor = splat(x), term = splat(y);
  for (int i = 0; i < kChains; ++i) acc[i] = splat(static_cast<T>(i));
  for (std::int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 10
    for (int i = 0; i < kChains; ++i) acc[i] = fma(acc[i], factor, term);
  }
  *flops = 2 * kChains * Vec<T>::kLanes;
  double sum = 0;
  for (int i = 0; i < kChains; ++i) {
    T lanes[Vec<T>::kLanes];
    store(lanes, acc[i]);
    sum += static_cast<double>(lanes[0]);
  }
  return sum;
}

}  // namespace

double probe_fma_f32(std::int64_t steps, float x, float y, std::int64_t* flops) { return probe(steps, x, y, flops); }
double probe_fma_f64(std::int64_t steps, double x, double y, std::int64_t* flops) { return probe(steps, x, y, flops); }

}  // namespace ranvier::RANVIER_ISA
