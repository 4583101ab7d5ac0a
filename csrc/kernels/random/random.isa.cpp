// Draws of a Philox stream. Element i of an array of 32-bit draws is word i % 4 of block i / 4, of 64-bit
// draws the words (0, 1) or (2, 3), low word first, of block i / 2; a pair of normal draws takes the words of
// its two elements. So every element is a function of key, stream and i. Chunks of kBlocks blocks are
// computed whole; a chunk that [begin, end) cuts goes through a buffer.
#include "kernels/random/philox.h"
#include "kernels/table.h"
#include "simd/math_error.h"
#include "simd/math_trig.h"

namespace ranvier::RANVIER_ISA {
namespace {

constexpr int kPairs = 2 * kBlocks;  // 64-bit draws of a chunk

// A distribution gives `kDraws` elements of a chunk: static void draw(const PhiloxChunk&, T*).
template <class Law, class T>
void fill_stream(const Law& law, RandomKey key, std::int64_t begin, std::int64_t end, T* out) {
  constexpr std::int64_t n = Law::kDraws;
  for (std::int64_t chunk = begin / n; chunk * n < end; ++chunk) {
    const std::int64_t first = chunk * n;
    PhiloxChunk words;
    philox(key, static_cast<std::uint64_t>(chunk) * kBlocks, words);
    T buffer[n];
    law.draw(words, buffer);
    const std::int64_t from = begin > first ? begin - first : 0;
    const std::int64_t to = end - first < n ? end - first : n;
    if (to - from == n) {
      for (std::int64_t i = 0; i < n; ++i) out[first - begin + i] = buffer[i];
    } else {
      for (std::int64_t i = from; i < to; ++i) out[first - begin + i] = buffer[i];
    }
  }
}

// Signed conversions only: there is no vector instruction for unsigned ones below AVX-512.
inline std::int32_t as_signed(std::uint32_t word) { return static_cast<std::int32_t>(word); }

// 53 bits of two words, as an integer below 2^53.
inline double integer53(std::uint32_t low, std::uint32_t high) {
  return static_cast<double>(as_signed(high >> 5)) * 0x1p26 + static_cast<double>(as_signed(low >> 6));
}

struct UniformFloat {
  static constexpr int kDraws = kWords;
  void draw(const PhiloxChunk& words, float* out) const {
    for (int b = 0; b < kBlocks; ++b)
      for (int w = 0; w < 4; ++w)
        out[4 * b + w] = static_cast<float>(as_signed(words.word[w][b] >> 8)) * 0x1p-24f;
  }
};

struct UniformDouble {
  static constexpr int kDraws = kPairs;
  void draw(const PhiloxChunk& words, double* out) const {
    for (int b = 0; b < kBlocks; ++b)
      for (int w = 0; w < 2; ++w)
        out[2 * b + w] = integer53(words.word[2 * w][b], words.word[2 * w + 1][b]) * 0x1p-53;
  }
};

// The point at `angle` turns on the circle of radius sqrt(-2 log(uniform)) (Box and Muller, 1958): two
// independent normal draws. A turn is quadrant (the word's top two bits) and rest, so that no range reduction
// is needed: t is the rest in [-1/2, 1/2), a signed 32-bit fraction.
inline void normal_pair(float uniform, std::uint32_t turn, float& x, float& y) {
  const float t = static_cast<float>(as_signed(turn << 2)) * (0x1p-32f * 1.57079637f);
  const float z = t * t;
  const float s = fma_(t * z, poly(z, -1.666665524e-01f, 8.332177997e-03f, -1.951729937e-04f), t);
  const float c =
      fma_(z * z, poly(z, 4.166664556e-02f, -1.388736768e-03f, 2.443845005e-05f), fma_(z, -0.5f, 1.0f));
  const float radius = sqrt_(-2.0f * log_(uniform));
  const bool odd = (turn & 0x40000000u) != 0;
  const std::uint32_t sign_x = (turn ^ (turn << 1)) & 0x80000000u, sign_y = turn & 0x80000000u;
  x = radius * from_bits(to_bits(odd ? s : c) ^ sign_x);
  y = radius * from_bits(to_bits(odd ? c : s) ^ sign_y);
}
inline void normal_pair(double uniform, std::uint32_t low, std::uint32_t high, double& x, double& y) {
  const double t =
      (static_cast<double>(as_signed(high << 2)) + static_cast<double>(as_signed(low >> 1)) * 0x1p-29) *
      (0x1p-32 * kPio2Hi);
  const std::uint64_t quadrant = high >> 30;
  const double radius = sqrt_(-2.0 * log_(uniform));
  x = radius * sin_quadrant(t, 0.0, quadrant + 1);
  y = radius * sin_quadrant(t, 0.0, quadrant);
}

struct NormalFloat {
  static constexpr int kDraws = kWords;
  void draw(const PhiloxChunk& words, float* out) const {
    float draws[4][kBlocks];
    for (int w = 0; w < 4; w += 2) {
      for (int b = 0; b < kBlocks; ++b) {
        // In (0, 1], with 31 bits and a half: the largest draw is 6.7.
        const float uniform = (static_cast<float>(as_signed(words.word[w][b] >> 1)) + 0.5f) * 0x1p-31f;
        float x, y;
        normal_pair(uniform, words.word[w + 1][b], x, y);
        draws[w][b] = x;
        draws[w + 1][b] = y;
      }
    }
    for (int b = 0; b < kBlocks; ++b)
      for (int w = 0; w < 4; ++w) out[4 * b + w] = draws[w][b];
  }
};

struct NormalDouble {
  static constexpr int kDraws = kPairs;
  void draw(const PhiloxChunk& words, double* out) const {
    double draws[2][kBlocks];
    for (int b = 0; b < kBlocks; ++b) {
      const double uniform = (integer53(words.word[0][b], words.word[1][b]) + 1.0) * 0x1p-53;  // in (0, 1]
      double x, y;
      normal_pair(uniform, words.word[2][b], words.word[3][b], x, y);
      draws[0][b] = x;
      draws[1][b] = y;
    }
    for (int b = 0; b < kBlocks; ++b)
      for (int w = 0; w < 2; ++w) out[2 * b + w] = draws[w][b];
  }
};

// The normal quantile of a uniform draw between the law's values at -2 and 2: sqrt(2) erfinv(u erf(sqrt(2))),
// u the middle of one of 2^24 (2^52) equal parts of (-1, 1), so that the law is symmetric.
struct TruncatedFloat {
  static constexpr int kDraws = kWords;
  void draw(const PhiloxChunk& words, float* out) const {
    constexpr float kBelowTwo = 0x1.fffffep+0f;
    float draws[4][kBlocks];
    for (int w = 0; w < 4; ++w) {
      for (int b = 0; b < kBlocks; ++b) {
        const std::int32_t odd = as_signed((words.word[w][b] >> 8) * 2 + 1) - (1 << 24);
        float z = 1.41421354f * erfinv_(static_cast<float>(odd) * (0x1p-24f * 0.954499736f));
        z = z > kBelowTwo ? kBelowTwo : z;
        draws[w][b] = z < -kBelowTwo ? -kBelowTwo : z;
      }
    }
    for (int b = 0; b < kBlocks; ++b)
      for (int w = 0; w < 4; ++w) out[4 * b + w] = draws[w][b];
  }
};

struct TruncatedDouble {
  static constexpr int kDraws = kPairs;
  void draw(const PhiloxChunk& words, double* out) const {
    constexpr double kBelowTwo = 0x1.fffffffffffffp+0;
    double draws[2][kBlocks];
    for (int w = 0; w < 2; ++w) {
      for (int b = 0; b < kBlocks; ++b) {
        const double high = static_cast<double>(as_signed(words.word[2 * w + 1][b] >> 6)) * 0x1p26;
        const double odd =
            (high + static_cast<double>(as_signed(words.word[2 * w][b] >> 6))) * 2.0 + 1.0 - 0x1p52;
        double z = 1.4142135623730951 * erfinv_(odd * (0x1p-52 * 0.95449973610364158));
        z = z > kBelowTwo ? kBelowTwo : z;
        draws[w][b] = z < -kBelowTwo ? -kBelowTwo : z;
      }
    }
    for (int b = 0; b < kBlocks; ++b)
      for (int w = 0; w < 2; ++w) out[2 * b + w] = draws[w][b];
  }
};

struct Integers {
  static constexpr int kDraws = kPairs;
  std::int64_t low;
  std::uint64_t range;
  void draw(const PhiloxChunk& words, std::int64_t* out) const {
    __extension__ using Product = unsigned __int128;
    for (int b = 0; b < kBlocks; ++b) {
      for (int w = 0; w < 2; ++w) {
        const std::uint64_t bits = std::uint64_t{words.word[2 * w + 1][b]} << 32 | words.word[2 * w][b];
        const std::uint64_t offset = static_cast<std::uint64_t>((Product{bits} * range) >> 64);
        out[2 * b + w] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
      }
    }
  }
};

}  // namespace

void random_uniform_f32(RandomKey key, std::int64_t begin, std::int64_t end, float* out) {
  fill_stream(UniformFloat{}, key, begin, end, out);
}
void random_uniform_f64(RandomKey key, std::int64_t begin, std::int64_t end, double* out) {
  fill_stream(UniformDouble{}, key, begin, end, out);
}
void random_normal_f32(RandomKey key, std::int64_t begin, std::int64_t end, float* out) {
  fill_stream(NormalFloat{}, key, begin, end, out);
}
void random_normal_f64(RandomKey key, std::int64_t begin, std::int64_t end, double* out) {
  fill_stream(NormalDouble{}, key, begin, end, out);
}
void truncated_normal_f32(RandomKey key, std::int64_t begin, std::int64_t end, float* out) {
  fill_stream(TruncatedFloat{}, key, begin, end, out);
}
void truncated_normal_f64(RandomKey key, std::int64_t begin, std::int64_t end, double* out) {
  fill_stream(TruncatedDouble{}, key, begin, end, out);
}
void random_integers(RandomKey key, std::int64_t begin, std::int64_t end, std::int64_t low, std::int64_t high,
                     std::int64_t* out) {
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  fill_stream(Integers{low, range}, key, begin, end, out);
}

}  // namespace ranvier::RANVIER_ISA
