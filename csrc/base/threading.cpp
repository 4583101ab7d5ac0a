#include "base/threading.h"

#include <pthread.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/cgroup.h"
#include "base/status.h"
#include "base/team.h"

namespace ranvier {

std::atomic<bool> g_interrupt{false};
std::atomic<std::uint32_t> g_interrupts{0};

namespace {

constexpr int kMostThreads = 1024;

std::atomic<int> g_max_threads{0};  // 0: not decided yet
std::atomic<int> g_callers{0};

// Those of the parent's threads are not in the child.
void after_fork_in_child() { g_callers.store(0, std::memory_order_relaxed); }
[[maybe_unused]] const int g_fork_handler = pthread_atfork(nullptr, nullptr, after_fork_in_child);

// The processors this process may be scheduled on.
int affinity_processors() {
#ifdef __linux__
  // The set must be as large as the kernel's, which may be configured for more than CPU_SETSIZE processors.
  for (int processors = CPU_SETSIZE; processors <= (1 << 18); processors *= 2) {
    cpu_set_t* set = CPU_ALLOC(processors);
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(processors);
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<int>(std::min<long>(online, kMostThreads)) : 1;
}

// A thread count from the environment; 0 when the variable is unset or empty. OMP_NUM_THREADS is other people's
// variable: where it makes no sense to us it is passed over, as the OpenMP runtime does; ours is refused.
int environment_threads(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return 0;
  std::string_view number = text;
  const bool ours = std::strcmp(variable, "RANVIER_NUM_THREADS") == 0;
  // OpenMP allows a list with one number per nesting level; the first is the outer level's.
  if (!ours) number = number.substr(0, number.find(','));
  while (!number.empty() && number.front() == ' ') number.remove_prefix(1);
  while (!number.empty() && number.back() == ' ') number.remove_suffix(1);
  int threads = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), threads);
  const bool whole = error == std::errc() && end == number.data() + number.size();
  const bool valid = whole && threads >= 1 && threads <= kMostThreads;
  if (!valid && !ours) return 0;
  require(valid, variable, " must be an integer from 1 to ", kMostThreads, "; received '", text, "'");
  return threads;
}

int count_processors() {
  int processors = affinity_processors();
  // Rounded up: a quota of 1.5 processors is only used in full by two threads.
  if (const auto quota = cgroup_cpu_quota()) processors = std::min(processors, static_cast<int>(std::ceil(*quota)));
  return std::clamp(processors, 1, kMostThreads);
}

int decide_threads() {
  if (const int threads = environment_threads("RANVIER_NUM_THREADS")) return threads;
  if (const int threads = environment_threads("OMP_NUM_THREADS")) return threads;
  return processors();
}

}  // namespace

int max_threads() {
  int threads = g_max_threads.load(std::memory_order_relaxed);
  if (threads == 0) {
    threads = decide_threads();
    g_max_threads.store(threads, std::memory_order_relaxed);
  }
  return threads;
}

void set_max_threads(int threads) {
  require(threads >= 1 && threads <= kMostThreads, "the number of threads must be from 1 to ", kMostThreads,
          "; received ", threads);
  g_max_threads.store(threads, std::memory_order_relaxed);
}

int processors() {
  static const int count = count_processors();
  return count;
}

Caller::Caller() { g_callers.fetch_add(1, std::memory_order_relaxed); }
Caller::~Caller() { g_callers.fetch_sub(1, std::memory_order_relaxed); }

namespace detail {

void parallel_for_impl(int threads, std::int64_t tasks, TaskFn fn, void* context) {
  const int others = g_callers.load(std::memory_order_relaxed) - 1;
  if (others > 0) threads = std::min(threads, processors() - others);  // each needs one for itself
  threads = static_cast<int>(std::min<std::int64_t>(std::min(threads, max_threads()), tasks));
  if (threads > 1 && run_on_team(threads, tasks, fn, context)) return;
  for (std::int64_t task = 0; task < tasks; ++task) fn(context, task, 0);
}

}  // namespace detail
}  // namespace ranvier
