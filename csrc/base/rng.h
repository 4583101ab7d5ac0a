// Random numbers of the host: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011), the same function of key, stream and counter as the random kernels.
#pragma once

#include <array>
#include <cstdint>

namespace ranvier {

// One block: the cipher of a counter under a key.
inline std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                               std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

// The 64-bit draws of a stream in order: words (0, 1), then (2, 3), of blocks 0, 1, ...
class Rng {
 public:
  explicit Rng(std::uint64_t key, std::uint64_t stream = 0) : key_(key), stream_(stream) {}

  std::uint64_t next_u64() {
    if (pending_) {
      pending_ = false;
      return second_;
    }
    const auto words =
        philox4x32({static_cast<std::uint32_t>(block_), static_cast<std::uint32_t>(block_ >> 32),
                    static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                   {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)});
    ++block_;
    pending_ = true;
    second_ = std::uint64_t{words[3]} << 32 | words[2];
    return std::uint64_t{words[1]} << 32 | words[0];
  }

  // Each of 0, ..., n - 1 with the same probability; n >= 1 (Lemire, "Fast random integer generation in an
  // interval", 2019: the few draws that would favour some values are drawn again).
  std::uint64_t uniform_below(std::uint64_t n) {
    __extension__ using Product = unsigned __int128;
    Product product = Product{next_u64()} * n;
    if (static_cast<std::uint64_t>(product) < n) {
      const std::uint64_t unfair = (std::uint64_t{0} - n) % n;  // 2^64 mod n
      while (static_cast<std::uint64_t>(product) < unfair) product = Product{next_u64()} * n;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

 private:
  std::uint64_t key_, stream_;
  std::uint64_t block_ = 0, second_ = 0;
  bool pending_ = false;
};

// out[0, n) = a permutation of 0, ..., n - 1, each with the same probability (Fisher and Yates), from the
// stream.
void shuffle_permutation(std::uint64_t key, std::uint64_t stream, std::int64_t n, std::int64_t* out);

}  // namespace ranvier
