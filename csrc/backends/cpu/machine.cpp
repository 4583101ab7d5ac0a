// The machine's limits: multiply-adds from registers, and a triad through memory.
#include <algorithm>
#include <chrono>
#include <vector>

#include "backends/cpu/plan.h"
#include "base/memory.h"

namespace ranvier::cpu {
namespace {

constexpr int kRepeats = 5;
constexpr double kProbeSeconds = 0.004;
constexpr std::int64_t kTriadFloats = std::int64_t{1} << 23;  // 32 MiB an array: more than most caches

template <class F>
double seconds_of(F&& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <class T>
double flops_per_second(double (*probe)(std::int64_t, T, T, std::int64_t*), int threads) {
  std::vector<double> results(static_cast<std::size_t>(threads));  // keeps the loop from being dropped
  std::int64_t flops = 0, steps = 1000;
  const auto once = [&](std::int64_t task) {
    std::int64_t each = 0;
    results[static_cast<std::size_t>(task)] += probe(steps, T(0.5), T(0.5), &each);
    if (task == 0) flops = each;
  };
  while (seconds_of([&] { once(0); }) < kProbeSeconds) steps *= 2;
  double best = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const double seconds = seconds_of([&] { parallel_for(threads, threads, [&](std::int64_t task, int) { once(task); }); });
    best = std::max(best, static_cast<double>(flops) * static_cast<double>(steps) * threads / seconds);
  }
  return best;
}

double triad_bytes_per_second(int threads) {
  const Buffer memory(host_memory(), 3 * sizeof(float) * static_cast<std::size_t>(kTriadFloats));
  float *a = static_cast<float*>(memory.data()), *b = a + kTriadFloats, *c = b + kTriadFloats;
  const auto each_part = [&](auto&& f) {
    parallel_for(threads, threads, [&](std::int64_t task, int) {
      const Range r = part_of(kTriadFloats, threads, task);
      for (std::int64_t i = r.begin; i < r.end; ++i) f(i);
    });
  };
  each_part([=](std::int64_t i) { a[i] = b[i] = c[i] = 1.0f; });
  double best = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const double seconds = seconds_of([&] { each_part([=](std::int64_t j) { a[j] = b[j] + 0.5f * c[j]; }); });
    best = std::max(best, 3.0 * sizeof(float) * static_cast<double>(kTriadFloats) / seconds);
  }
  return best;
}

}  // namespace

MachinePeak measure_machine() {
  const KernelTable& k = kernels();
  const int threads = max_threads();
  return {threads, flops_per_second(k.probe_fma_f32, threads), flops_per_second(k.probe_fma_f64, threads),
          triad_bytes_per_second(threads)};
}

}  // namespace ranvier::cpu
