// Where values live in the arena: two values share bytes only if they are never alive together.
#pragma once

#include <cstdint>
#include <vector>

namespace ranvier {

struct Lifetime {
  std::int64_t bytes;
  int first, last;  // the steps that write it first and read it last, inclusive
};

struct MemoryPlan {
  std::vector<std::int64_t> offsets;  // multiples of 64, one for each lifetime
  std::int64_t total = 0;
};

MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes);

}  // namespace ranvier
