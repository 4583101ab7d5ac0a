// Random tensors: element i is a function of the seed and of i, so threads may take any ranges.
#include <cstring>

#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

RandomKey key_of(const void* seed) {
  RandomKey key;
  std::memcpy(&key.key, seed, 8);
  std::memcpy(&key.stream, static_cast<const std::byte*>(seed) + 8, 8);
  return key;
}

template <class T>
struct Draw {
  std::int64_t count;
  int threads;
  void (*fn)(RandomKey, std::int64_t, std::int64_t, T*);
  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Draw>();
    const RandomKey key = key_of(operands[0]);
    auto* out = static_cast<T*>(operands[1]);
    if (p.threads == 1) return p.fn(key, 0, p.count, out);
    parallel_for(p.threads, p.threads, [&](std::int64_t task, int) {
      const Range r = part_of(p.count, p.threads, task);
      p.fn(key, r.begin, r.end, out + r.begin);
    });
  }
};

struct Integers {
  std::int64_t count, low, high;
  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Integers>();
    kernels().random_integers(key_of(operands[0]), 0, p.count, p.low, p.high, static_cast<std::int64_t*>(operands[1]));
  }
};

template <class T>
Step draw(const OpRequest& request, double cost, void (*fn)(RandomKey, std::int64_t, std::int64_t, T*)) {
  const std::int64_t count = request.output.shape.size();
  return make_step(request, Draw<T>::run, Draw<T>{count, threads_for(static_cast<double>(count) * cost, request.max_threads), fn});
}

}  // namespace

Step plan_random(const OpRequest& request) {
  const KernelTable& k = kernels();
  const bool f32 = request.output.dtype == DType::f32;
  switch (op_of(request.op)) {
    case Op::random_uniform: return f32 ? draw(request, 1.0, k.random_uniform_f32) : draw(request, 2.0, k.random_uniform_f64);
    case Op::random_normal: return f32 ? draw(request, 3.0, k.random_normal_f32) : draw(request, 6.0, k.random_normal_f64);
    case Op::truncated_normal: return f32 ? draw(request, 3.0, k.truncated_normal_f32) : draw(request, 6.0, k.truncated_normal_f64);
    default:
      return make_step(request, Integers::run,
                       Integers{request.output.shape.size(), request.attributes.get<std::int64_t>("low"), request.attributes.get<std::int64_t>("high")});
  }
}

}  // namespace ranvier::cpu
