#include "base/team.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/float_mode.h"

namespace ranvier::detail {
namespace {

constexpr std::size_t kApart = 128;  // bytes between what different threads write

// Nanoseconds. A member that waits for work first spins, then lets others have the processor between two looks, then
// sleeps: the gaps between the parallel steps of a program are shorter than the first or the second.
constexpr std::int64_t kSpin = 30'000;
constexpr std::int64_t kYield = 150'000;
// A machine is busy when the caller had to wait so long, and several times as long as it worked, for a member's last
// task. Then callers work alone for ten times as long: one part in eleven is the most that can be lost to such waiting.
// (That a spinning member lost its processor says nothing: no work waited for it.)
constexpr std::int64_t kPatience = 1'000'000;
constexpr std::int64_t kPatienceFactor = 4;
constexpr std::int64_t kAloneFactor = 10;
constexpr std::int64_t kMostAlone = 1'000'000'000;
constexpr int kLooksPerClock = 32;  // between two readings of the clock

std::int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

inline void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until done(): spins, then yields. Returns false after `limit` nanoseconds, if that is not negative.
template <class Done>
bool wait_actively(Done&& done, std::int64_t limit) {
  const std::int64_t begin = now_ns();
  std::int64_t now = begin;
  for (;;) {
    for (int look = 0; look < kLooksPerClock; ++look) {
      if (done()) return true;
      relax();
    }
    if (now - begin > kSpin) std::this_thread::yield();
    now = now_ns();
    if (limit >= 0 && now - begin > limit) return false;
  }
}

// A member's range of tasks and its bell. Two cache lines, since neighbours are fetched in pairs.
struct alignas(kApart) Member {
  std::atomic<std::int64_t> next{0};
  std::int64_t end = 0;
  std::atomic<std::uint32_t> bell{0};     // rung for each job
  std::atomic<std::uint32_t> asleep{0};
};

class Team {
 public:
  // How many of `threads` members there are, the caller among them, after trying to get as many.
  int grow(int threads) {
    if (threads <= wanted_) return std::min(threads, size_);
    wanted_ = threads;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the threads of the program
    try {
      while (size_ < threads) {
        while (static_cast<int>(members_.size()) <= size_) members_.push_back(std::make_unique<Member>());
        std::thread(&Team::serve, this, std::ref(at(size_)), size_).detach();
        ++size_;
      }
    } catch (const std::exception&) {  // no more memory or threads are to be had; the smaller team is good, too
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return size_;
  }

  void run(int threads, std::int64_t tasks, TaskFn fn, void* context) {
    active_members_ = threads;
    fn_ = fn;
    context_ = context;
    mode_ = float_mode();
    for (int i = 0; i < threads; ++i) {
      Member& member = at(i);
      member.end = tasks * (i + 1) / threads;
      member.next.store(tasks * i / threads, std::memory_order_relaxed);
    }
    const std::int64_t begin = now_ns();
    state_.fetch_or(kOpen);
    for (int i = 1; i < threads; ++i) ring(at(i));
    take_part(0);
    if ((state_.fetch_and(~kOpen) & ~kOpen) == 0) return;  // nobody else is inside
    const std::int64_t worked = now_ns();
    wait_actively([&] { return state_.load() == 0; }, -1);
    const std::int64_t waited = now_ns() - worked;
    if (waited > kPatience + kPatienceFactor * (worked - begin)) note_busy(waited);
  }

  // Whether callers are to work alone, since the machine was found busy.
  bool is_busy() {
    const std::int64_t until = alone_until_.load(std::memory_order_relaxed);
    if (until == 0 || now_ns() < until) return until != 0;
    alone_until_.store(0, std::memory_order_relaxed);
    return false;
  }

 private:
  static constexpr std::uint32_t kOpen = 1u << 31;  // state_: whether a job may be entered; below it, who is inside

  Member& at(int i) { return *members_[static_cast<std::size_t>(i)]; }

  static void ring(Member& member) {
    member.bell.fetch_add(1);
    if (member.asleep.load()) member.bell.notify_one();
  }

  // The tasks of one's own range, then those that others have not begun.
  void take_part(int number) {
    const TaskFn fn = fn_;
    void* const context = context_;
    const int members = active_members_;
    for (int i = 0; i < members; ++i) {
      Member& member = at((number + i) % members);
      if (member.next.load(std::memory_order_relaxed) >= member.end) continue;
      for (;;) {
        const std::int64_t task = member.next.fetch_add(1, std::memory_order_relaxed);
        if (task >= member.end) break;
        fn(context, task, number);
      }
    }
  }

  void serve(Member& self, int number) {
    std::uint32_t heard = 0;
    for (;;) {
      heard = wait_for_bell(self, heard);
      if ((state_.load() & kOpen) == 0) continue;  // too late
      // Entering and closing are one atomic word: either we see that the job is closed, or the caller sees us inside.
      if ((state_.fetch_add(1) & kOpen) != 0 && number < active_members_) {
        set_float_mode(mode_);
        take_part(number);
      }
      state_.fetch_sub(1);
    }
  }

  std::uint32_t wait_for_bell(Member& self, std::uint32_t heard) {
    if (!wait_actively([&] { return self.bell.load(std::memory_order_acquire) != heard; }, kYield)) {
      self.asleep.store(1);
      self.bell.wait(heard);
      self.asleep.store(0);
    }
    return self.bell.load();
  }

  void note_busy(std::int64_t lost) {
    alone_until_.store(now_ns() + std::min(kAloneFactor * lost, kMostAlone), std::memory_order_relaxed);
  }

  alignas(kApart) std::atomic<std::uint32_t> state_{0};
  alignas(kApart) std::atomic<std::int64_t> alone_until_{0};
  // The job and the members: changed while nobody is inside, read by those who are.
  TaskFn fn_ = nullptr;
  void* context_ = nullptr;
  std::uint64_t mode_ = 0;  // the caller's, so that it does not matter who runs a task
  int active_members_ = 0;
  std::vector<std::unique_ptr<Member>> members_;
  int size_ = 1, wanted_ = 1;
};

std::atomic<bool> g_taken{false};
Team* g_team = nullptr;  // guarded by g_taken; never destroyed, since its threads end with the process

// The parent's threads are not in the child, and its lock may have been held.
void after_fork_in_child() {
  g_team = nullptr;
  g_taken.store(false);
}
[[maybe_unused]] const int g_fork_handler = pthread_atfork(nullptr, nullptr, after_fork_in_child);

}  // namespace

bool run_on_team(int threads, std::int64_t tasks, TaskFn fn, void* context) {
  if (g_taken.load(std::memory_order_relaxed) || g_taken.exchange(true, std::memory_order_acquire)) return false;
  if (g_team == nullptr) g_team = new Team;
  const int members = g_team->is_busy() ? 1 : g_team->grow(threads);
  if (members > 1) g_team->run(members, tasks, fn, context);
  g_taken.store(false, std::memory_order_release);
  return members > 1;
}

}  // namespace ranvier::detail
