#include "runtime/profile.h"

#include <algorithm>
#include <chrono>

#include "runtime/plan.h"

namespace ranvier {

namespace detail {
std::atomic<int> g_active_profiles{0};
}  // namespace detail

namespace {

std::mutex g_mutex;

Profiles& profiles() {
  static auto* list = new Profiles;  // never destroyed: a thread may still run when the process ends
  return *list;
}

std::int32_t thread_number() {
  static std::atomic<std::int32_t> next{0};
  static thread_local const std::int32_t number = next.fetch_add(1);
  return number;
}

// The usual distance of two readings of the clock.
std::int64_t clock_cost() {
  std::array<std::int64_t, 65> stamps;
  for (std::int64_t& stamp : stamps) stamp = profile_clock();
  std::array<std::int64_t, 64> distances;
  for (std::size_t i = 0; i < distances.size(); ++i) distances[i] = stamps[i + 1] - stamps[i];
  std::nth_element(distances.begin(), distances.begin() + 32, distances.end());
  return distances[32];
}

std::shared_ptr<const Cost> cost_of(Around what) {
  static const char* const kNames[kArounds] = {"plan", "shuffle the order of the rows", "gather the batch", "collect the outputs"};
  auto cost = std::make_shared<Cost>();
  cost->what = kNames[static_cast<int>(what)];
  return cost;
}

}  // namespace

std::int64_t profile_clock() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

void activate(const ProfilePtr& profile) {
  std::lock_guard lock(g_mutex);
  profiles().push_back(profile);
  detail::g_active_profiles.store(static_cast<int>(profiles().size()), std::memory_order_relaxed);
}

void deactivate(const ProfilePtr& profile) {
  std::lock_guard lock(g_mutex);
  std::erase(profiles(), profile);
  detail::g_active_profiles.store(static_cast<int>(profiles().size()), std::memory_order_relaxed);
}

Profiles detail::listed_profiles() {
  std::lock_guard lock(g_mutex);
  return profiles();
}

Profile::Profile() : clock_ns_(clock_cost()) {}

Profile::ProgramRows& Profile::rows_of(const Plan& plan, std::int32_t& number) {
  const auto [it, fresh] = number_of_.emplace(plan.serial(), static_cast<std::int32_t>(programs_.size()));
  number = it->second;
  if (fresh) {
    ProgramRows rows{plan.name(), plan.arena_bytes(), {}};
    for (std::size_t i = 0; i < plan.steps().size(); ++i) rows.rows.push_back({plan.phase_of(i), plan.steps()[i].cost});
    for (int i = 0; i < kArounds; ++i) rows.rows.push_back({"around", ranvier::cost_of(static_cast<Around>(i))});
    programs_.push_back(std::move(rows));
  }
  return programs_[static_cast<std::size_t>(number)];
}

void Profile::add(ProgramRows& rows, std::int32_t number, std::size_t row, std::int64_t begin, std::int64_t end, double flops, double bytes) {
  const std::int64_t time = std::max<std::int64_t>(0, end - begin - clock_ns_);
  Row& sums = rows.rows[row];
  sums.least_ns = sums.count == 0 ? time : std::min(sums.least_ns, time);
  ++sums.count;
  sums.total_ns += time;
  sums.flops += flops;
  sums.bytes += bytes;
  if (events_.size() < kMostEvents) events_.push_back({number, static_cast<std::int32_t>(row), thread_number(), begin, time});
  else ++dropped_;
}

void Profile::add_steps(const Plan& plan, std::size_t first, const std::vector<std::int64_t>& stamps) {
  std::lock_guard lock(mutex_);
  std::int32_t number;
  ProgramRows& rows = rows_of(plan, number);
  for (std::size_t i = 0; i + 1 < stamps.size(); ++i) {
    const Cost* cost = rows.rows[first + i].cost.get();
    add(rows, number, first + i, stamps[i], stamps[i + 1], cost ? cost->flops : 0, cost ? cost->bytes_read + cost->bytes_written : 0);
  }
}

void Profile::add_around(const Plan& plan, Around what, std::int64_t begin_ns, std::int64_t end_ns, double bytes) {
  std::lock_guard lock(mutex_);
  std::int32_t number;
  ProgramRows& rows = rows_of(plan, number);
  add(rows, number, plan.steps().size() + static_cast<std::size_t>(what), begin_ns, end_ns, 0, bytes);
}

std::vector<Profile::ProgramRows> Profile::programs() const {
  std::lock_guard lock(mutex_);
  return programs_;
}

std::vector<Profile::Event> Profile::events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

std::int64_t Profile::dropped_events() const {
  std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace ranvier
