// What ran while a profile was active: for every program each step's cost, count and time, and the single runs.
//
// Programs look once for each run (an epoch: once for each call of advance) whether a profile is active; where none is,
// nothing is measured.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backends/backend.h"

namespace ranvier {

class Plan;

// Work around a program's steps that has rows of its own.
enum class Around : std::uint8_t { kPlan, kShuffle, kGather, kCollect };
inline constexpr int kArounds = 4;

class Profile {
 public:
  // The trace keeps this many runs of steps; the sums count all.
  static constexpr std::size_t kMostEvents = std::size_t{1} << 20;

  struct Row {
    const char* phase;  // "main", "commit", "readout", "around"
    std::shared_ptr<const Cost> cost;
    std::int64_t count = 0, total_ns = 0, least_ns = 0;
    double flops = 0, bytes = 0;  // of all runs
  };
  struct ProgramRows {
    std::string name;
    std::int64_t arena_bytes;
    std::vector<Row> rows;  // the steps, then one for each Around
  };
  struct Event {
    std::int32_t program, row, thread;
    std::int64_t begin_ns, duration_ns;
  };

  Profile();
  // The steps from `first` on, that ran between stamps[0], stamps[1], ...
  void add_steps(const Plan& plan, std::size_t first, const std::vector<std::int64_t>& stamps);
  void add_around(const Plan& plan, Around what, std::int64_t begin_ns, std::int64_t end_ns, double bytes);

  // Copies, so that a profile can be read while it is active.
  std::vector<ProgramRows> programs() const;
  std::vector<Event> events() const;
  std::int64_t dropped_events() const;
  std::int64_t clock_ns() const { return clock_ns_; }

 private:
  ProgramRows& rows_of(const Plan& plan, std::int32_t& number);
  void add(ProgramRows& rows, std::int32_t number, std::size_t row, std::int64_t begin, std::int64_t end, double flops, double bytes);

  mutable std::mutex mutex_;
  std::vector<ProgramRows> programs_;
  std::map<std::uint64_t, std::int32_t> number_of_;  // by Plan::serial()
  std::vector<Event> events_;
  std::int64_t dropped_ = 0;
  std::int64_t clock_ns_;  // what reading the clock costs: taken off every time
};

using ProfilePtr = std::shared_ptr<Profile>;
using Profiles = std::vector<ProfilePtr>;

std::int64_t profile_clock();  // nanoseconds
void activate(const ProfilePtr& profile);
void deactivate(const ProfilePtr& profile);

namespace detail {
extern std::atomic<int> g_active_profiles;
Profiles listed_profiles();
}  // namespace detail

// The active profiles; empty, without a lock, when there is none.
inline Profiles active_profiles() {
  if (detail::g_active_profiles.load(std::memory_order_relaxed) == 0) [[likely]] return {};
  return detail::listed_profiles();
}

// Measures `f()` as work around a plan's steps, if there are profiles.
template <class F>
void measure_around(const Profiles& profiles, const Plan& plan, Around what, double bytes, F&& f) {
  if (profiles.empty()) return f();
  const std::int64_t begin = profile_clock();
  f();
  const std::int64_t end = profile_clock();
  for (const ProfilePtr& profile : profiles) profile->add_around(plan, what, begin, end, bytes);
}

}  // namespace ranvier
