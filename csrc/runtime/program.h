// A program: a plan, and the frames of those who run it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/frame.h"
#include "runtime/plan.h"

namespace ranvier {

class Program {
  // A caller's memory.
  struct Seat {
    explicit Seat(const Plan& plan)
        : arena(plan.backend().memory(), static_cast<std::size_t>(plan.arena_bytes()), /*zero=*/true), frame(plan, arena.data()) {}
    Buffer arena;
    Frame frame;
  };

 public:
  explicit Program(PlanPtr plan) : plan_(std::move(plan)), first_(*plan_) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const Plan& plan() const { return *plan_; }

  // A frame serves one caller at a time, from writing the inputs to reading the outputs. A program that writes no variables
  // has more frames than one: up to two for each processor (a caller may be waiting for one) and as long as their arenas
  // stay small.
  enum class Use { kFirst, kAny };  // the first frame, whose outputs may be read in a later lease, or any
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), seat_(other.seat_) {}
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { release(); }
    explicit operator bool() const { return owner_ != nullptr; }
    Frame& operator*() const { return seat_->frame; }
    Frame* operator->() const { return &seat_->frame; }

   private:
    friend class Program;
    Lease(Program* owner, Seat* seat) : owner_(owner), seat_(seat) {}
    void release();
    Program* owner_ = nullptr;  // must outlive the lease
    Seat* seat_ = nullptr;
  };
  Lease lease(Use use);      // waits
  Lease try_lease(Use use);  // empty where lease() would wait

 private:
  PlanPtr plan_;
  Seat first_;

  std::mutex mutex_;  // of what follows: who uses what
  std::condition_variable returned_;
  bool first_in_use_ = false;
  int more_ = 0;  // seats besides the first, idle or not
  std::vector<std::unique_ptr<Seat>> idle_;
};

}  // namespace ranvier
