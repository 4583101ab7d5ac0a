// The only file that sees OpenMP.
#include "base/threading.h"

#include <dlfcn.h>
#include <omp.h>
#include <pthread.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/cgroup.h"
#include "base/status.h"

namespace ranvier {

std::atomic<bool> g_interrupt{false};
std::atomic<std::uint32_t> g_interrupts{0};

namespace {

constexpr int kMostThreads = 1024;

std::atomic<int> g_max_threads{0};  // 0: not decided yet
std::atomic<bool> g_forked{false};
std::atomic<bool> g_fork_reported{false};

void after_fork_in_child() {
  g_forked.store(true, std::memory_order_relaxed);
  g_fork_reported.store(false, std::memory_order_relaxed);
}

// Registered when the library is loaded, not at the first parallel step: another library may have started
// the OpenMP runtime's threads before us, and the child would hang all the same.
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

int decide_threads() {
  if (const int threads = environment_threads("RANVIER_NUM_THREADS")) return threads;
  if (const int threads = environment_threads("OMP_NUM_THREADS")) return threads;
  int threads = affinity_processors();
  // Rounded up: a quota of 1.5 processors is only used in full by two threads.
  if (const auto quota = cgroup_cpu_quota()) threads = std::min(threads, static_cast<int>(std::ceil(*quota)));
  return std::clamp(threads, 1, kMostThreads);
}

void report_fork_once() {
  if (g_fork_reported.exchange(true)) return;
  constexpr char kMessage[] =
      "ranvier: this process is a fork, so it computes on one thread (OpenMP cannot start threads in a forked "
      "child); the \"spawn\" and \"forkserver\" start methods of multiprocessing allow more\n";
  // write, not stdio: a lock or a half-filled buffer of the parent's streams may have been copied by the fork.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
}

// A team starts when its last thread is ready, and ends when the last has run its share. On a busy machine that
// thread may wait milliseconds for a processor, in every parallel step, which then costs many times what one
// thread alone would need. So the first thread notes how long it waited for the others; when that is out of all
// proportion to its own share, it computes alone for ten times as long: one part in eleven is the most that can be
// lost to such waiting. Who runs a task never changes a result.
// Nanoseconds. Waking a thread that sleeps may take 200 us, which is no sign of a busy machine either: while the first
// thread computes alone the others fall asleep, so with less patience it would stay alone for ever.
constexpr std::int64_t kPatience = 1'000'000;
constexpr std::int64_t kPatienceFactor = 4;        // uneven shares are no sign of a busy machine
constexpr std::int64_t kAloneFactor = 10;
constexpr std::int64_t kMostAlone = 1'000'000'000;  // ns
std::atomic<std::int64_t> g_alone_until{0};

std::int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

void note_waiting(std::int64_t waited, std::int64_t worked, std::int64_t now) {
  if (waited > kPatience + kPatienceFactor * worked) {
    g_alone_until.store(now + std::min(kAloneFactor * waited, kMostAlone), std::memory_order_relaxed);
  }
}

}  // namespace

int max_threads() {
  int threads = g_max_threads.load(std::memory_order_relaxed);
  if (threads == 0) {
    threads = decide_threads();
    g_max_threads.store(threads, std::memory_order_relaxed);
  }
  if (threads > 1 && g_forked.load(std::memory_order_relaxed)) {
    report_fork_once();
    return 1;
  }
  return threads;
}

void set_max_threads(int threads) {
  require(threads >= 1 && threads <= kMostThreads, "the number of threads must be from 1 to ", kMostThreads,
          "; received ", threads);
  g_max_threads.store(threads, std::memory_order_relaxed);
}

std::string openmp_runtime() {
  std::string name;
  Dl_info info;
  // Which library answers is decided when the process is started (a preloaded runtime wins), so ask the linker.
  if (dladdr(reinterpret_cast<void*>(&omp_get_max_threads), &info) != 0 && info.dli_fname != nullptr) {
    name = info.dli_fname;
    name.erase(0, name.rfind('/') + 1);  // npos + 1 is 0
    name.resize(std::min(name.size(), name.find('.')));
  }
  if (name.rfind("lib", 0) != 0) {
#ifdef __clang__
    name = "libomp";
#else
    name = "libgomp";
#endif
  }
  const char* version = _OPENMP >= 202111 ? "5.2" : _OPENMP >= 202011 ? "5.1" : _OPENMP >= 201811 ? "5.0" : "4.5";
  return name + " (OpenMP " + version + ")";
}

namespace detail {

void parallel_for_impl(int threads, std::int64_t tasks, TaskFn fn, void* context) {
  if (g_forked.load(std::memory_order_relaxed)) {  // a program planned before the fork asks for its parent's threads
    report_fork_once();
    threads = 1;
  }
  const std::int64_t begin = now_ns();
  const bool alone = threads <= 1 || tasks <= 1 || begin < g_alone_until.load(std::memory_order_relaxed);
  if (alone || omp_in_parallel()) {
    for (std::int64_t task = 0; task < tasks; ++task) fn(context, task, 0);
    return;
  }
  const int team = static_cast<int>(std::min<std::int64_t>(threads, tasks));
  std::int64_t own_begin = begin, own_end = begin;  // written by the first thread, read after the team has ended
#pragma omp parallel num_threads(team)
  {
    const int thread = omp_get_thread_num();
    if (thread == 0) own_begin = now_ns();
#pragma omp for schedule(static) nowait
    for (std::int64_t task = 0; task < tasks; ++task) fn(context, task, thread);
    if (thread == 0) own_end = now_ns();
  }
  const std::int64_t end = now_ns(), worked = own_end - own_begin;
  note_waiting(end - begin - worked, worked, end);
}

}  // namespace detail
}  // namespace ranvier
