#include "passes/memory_plan.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/status.h"

namespace ranvier {
namespace {

// Free ranges of an arena that grows at its end. Best fit; neighbours merge.
class FreeList {
 public:
  std::int64_t take(std::int64_t bytes) {
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it)
      if (it->second >= bytes && (best == free_.end() || it->second < best->second)) best = it;
    if (best == free_.end()) return grow(bytes);
    const std::int64_t offset = best->first, rest = best->second - bytes;
    free_.erase(best);
    if (rest > 0) free_.emplace(offset + bytes, rest);
    return offset;
  }

  void give(std::int64_t offset, std::int64_t bytes) {
    auto next = free_.lower_bound(offset);
    if (next != free_.end() && offset + bytes == next->first) {
      bytes += next->second;
      next = free_.erase(next);
    }
    if (next != free_.begin()) {
      auto previous = std::prev(next);
      if (previous->first + previous->second == offset) {
        previous->second += bytes;
        return;
      }
    }
    free_.emplace(offset, bytes);
  }

  std::int64_t total() const { return end_; }

 private:
  std::int64_t grow(std::int64_t bytes) {
    std::int64_t offset = end_;
    if (!free_.empty() && free_.rbegin()->first + free_.rbegin()->second == end_) {  // extend the last free range
      offset = free_.rbegin()->first;
      free_.erase(std::prev(free_.end()));
    }
    if (__builtin_add_overflow(offset, bytes, &end_)) fail(ErrorKind::kMemory, "The values of a program do not fit the address space.");
    return offset;
  }

  std::map<std::int64_t, std::int64_t> free_;  // offset -> bytes
  std::int64_t end_ = 0;
};

}  // namespace

MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes) {
  MemoryPlan plan;
  plan.offsets.assign(lifetimes.size(), 0);
  std::vector<std::size_t> by_first(lifetimes.size());
  std::iota(by_first.begin(), by_first.end(), std::size_t{0});
  std::stable_sort(by_first.begin(), by_first.end(), [&](std::size_t a, std::size_t b) { return lifetimes[a].first < lifetimes[b].first; });
  std::multimap<int, std::size_t> ending;  // last step -> value
  FreeList arena;
  const auto padded = [&](std::size_t i) { return (std::max<std::int64_t>(lifetimes[i].bytes, 1) + 63) / 64 * 64; };
  for (std::size_t i : by_first) {
    while (!ending.empty() && ending.begin()->first < lifetimes[i].first) {
      arena.give(plan.offsets[ending.begin()->second], padded(ending.begin()->second));
      ending.erase(ending.begin());
    }
    plan.offsets[i] = arena.take(padded(i));
    ending.emplace(lifetimes[i].last, i);
  }
  plan.total = arena.total();
  return plan;
}

}  // namespace ranvier
