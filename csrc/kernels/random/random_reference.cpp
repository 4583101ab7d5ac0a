#include "kernels/random/random_reference.h"

#include <cmath>

#include "base/rng.h"

namespace ranvier::reference {
namespace {

constexpr double kPi = 3.14159265358979323846;

// 32-bit draw i.
std::uint32_t word(RandomKey key, std::int64_t i) {
  const std::uint64_t block = static_cast<std::uint64_t>(i) / 4;
  return philox4x32({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                     static_cast<std::uint32_t>(key.stream), static_cast<std::uint32_t>(key.stream >> 32)},
                    {static_cast<std::uint32_t>(key.key),
                     static_cast<std::uint32_t>(key.key >> 32)})[static_cast<std::size_t>(i % 4)];
}
// 64-bit draw i.
std::uint64_t pair(RandomKey key, std::int64_t i) {
  return std::uint64_t{word(key, 2 * i + 1)} << 32 | word(key, 2 * i);
}

// The bits of `value` above the lowest `bits` of each of its two words.
double joined(std::uint64_t value, int low_bits, int high_bits) {
  const double low = static_cast<double>(static_cast<std::uint32_t>(value) >> low_bits);
  return std::ldexp(static_cast<double>(value >> 32 >> high_bits), 32 - low_bits) + low;
}

double box_muller(double uniform, double turn, bool second) {
  const double radius = std::sqrt(-2 * std::log(uniform));
  return radius * (second ? std::sin(2 * kPi * turn) : std::cos(2 * kPi * turn));
}

// A turn's top two bits are its quadrant; the other bits are a signed fraction of a quadrant.
double turn_of(double fraction, unsigned quadrant) {
  return (quadrant + (fraction < 0.5 ? fraction : fraction - 1)) / 4;
}

// The z in (-2, 2) whose normal law is at the fraction (u + 1) / 2 of the way from -2's to 2's, by bisection.
double truncated(double u) {
  const double target = u * std::erf(std::sqrt(2.0));
  double low = -2, high = 2;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    (std::erf(middle / std::sqrt(2.0)) < target ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

float random_uniform_f32(RandomKey key, std::int64_t i) {
  return static_cast<float>(std::ldexp(static_cast<double>(word(key, i) >> 8), -24));
}
double random_uniform_f64(RandomKey key, std::int64_t i) {
  return std::ldexp(joined(pair(key, i), 6, 5), -53);
}

double random_normal_f32(RandomKey key, std::int64_t i) {
  const std::uint32_t turn = word(key, i | 1);
  const float uniform = (static_cast<float>(word(key, i & ~std::int64_t{1}) >> 1) + 0.5f) * 0x1p-31f;
  return box_muller(uniform, turn_of((turn & 0x3FFFFFFFu) * 0x1p-30, turn >> 30), i & 1);
}
double random_normal_f64(RandomKey key, std::int64_t i) {
  const std::uint64_t turn = pair(key, i | 1), rest = turn & 0x3FFFFFFFFFFFFFFFu;
  const double uniform = std::ldexp(joined(pair(key, i & ~std::int64_t{1}), 6, 5) + 1, -53);
  return box_muller(uniform, turn_of(static_cast<double>(rest) * 0x1p-62, static_cast<unsigned>(turn >> 62)),
                    i & 1);
}

double truncated_normal_f32(RandomKey key, std::int64_t i) {
  return truncated((2.0 * (word(key, i) >> 8) + 1) * 0x1p-24 - 1);
}
double truncated_normal_f64(RandomKey key, std::int64_t i) {
  return truncated((2.0 * joined(pair(key, i), 6, 6) + 1 - 0x1p52) * 0x1p-52);
}

std::int64_t random_integer(RandomKey key, std::int64_t i, std::int64_t low, std::int64_t high) {
  __extension__ using Product = unsigned __int128;
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const Product product = Product{pair(key, i)} * range;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) +
                                   static_cast<std::uint64_t>(product >> 64));
}

}  // namespace ranvier::reference
