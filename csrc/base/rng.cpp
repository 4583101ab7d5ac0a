#include "base/rng.h"

#include <utility>

namespace ranvier {

void shuffle_permutation(std::uint64_t key, std::uint64_t stream, std::int64_t n, std::int64_t* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = i;
  Rng rng(key, stream);
  for (std::int64_t i = n - 1; i > 0; --i) {
    const std::uint64_t j = rng.uniform_below(static_cast<std::uint64_t>(i) + 1);
    std::swap(out[i], out[j]);
  }
}

}  // namespace ranvier
