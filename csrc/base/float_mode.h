// How a thread computes with numbers too small to be normal.
//
// A processor takes some hundred cycles for an operation that gives such a number, and training comes upon them: the
// gradient of a saturated sigmoid, of a sample of little weight, or of a step long ago. Programs run with results like
// these made zero, by every instruction of a kind alike, so that the bits depend on neither threads nor instruction set.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace ranvier {

// The thread's control word; one value stands for all on processors without one that is known here.
inline std::uint64_t float_mode() {
#if defined(__x86_64__)
  return _mm_getcsr();
#elif defined(__aarch64__)
  std::uint64_t mode = 0;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}

inline void set_float_mode([[maybe_unused]] std::uint64_t mode) {
#if defined(__x86_64__)
  _mm_setcsr(static_cast<unsigned>(mode));
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(mode));
#endif
}

// While it lives, this thread makes tiny results zero.
class FlushTiny {
 public:
  FlushTiny() : before_(float_mode()) { set_float_mode(before_ | kFlush); }
  ~FlushTiny() { set_float_mode(before_); }
  FlushTiny(const FlushTiny&) = delete;
  FlushTiny& operator=(const FlushTiny&) = delete;

 private:
#if defined(__x86_64__)
  static constexpr std::uint64_t kFlush = 1u << 15;  // results only: operands, which a user may give, keep their value
#elif defined(__aarch64__)
  static constexpr std::uint64_t kFlush = 1u << 24;  // operands, too
#else
  static constexpr std::uint64_t kFlush = 0;
#endif
  std::uint64_t before_;
};

}  // namespace ranvier
