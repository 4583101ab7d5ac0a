// Who uses which frame of a program: turns, and more frames for programs that write no variables.
#include "runtime/program.h"

#include <algorithm>

#include "base/threading.h"

namespace ranvier {
namespace {

// What the arenas of a program's frames but the first may take together.
constexpr std::int64_t kMostExtraBytes = std::int64_t{256} << 20;

}  // namespace

Program::Lease Program::try_lease(Use use) {
  {
    std::lock_guard lock(mutex_);
    if (!first_in_use_) {
      first_in_use_ = true;
      return {this, &first_};
    }
    if (use == Use::kFirst || plan_->writes_variables()) return {};
    if (!idle_.empty()) {
      Seat* seat = idle_.back().release();
      idle_.pop_back();
      return {this, seat};
    }
    const std::int64_t most = kMostExtraBytes / std::max<std::int64_t>(1, plan_->arena_bytes());
    if (more_ >= std::min<std::int64_t>(most, 2 * processors() - 1)) return {};
    idle_.reserve(static_cast<std::size_t>(++more_));  // so that giving back cannot fail
  }
  try {
    return {this, new Seat(*plan_)};
  } catch (...) {
    std::lock_guard lock(mutex_);
    --more_;
    throw;
  }
}

Program::Lease Program::lease(Use use) {
  for (;;) {
    if (Lease found = try_lease(use)) return found;
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !first_in_use_ || (use == Use::kAny && !idle_.empty()); });
  }
}

Program::Lease& Program::Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    owner_ = std::exchange(other.owner_, nullptr);
    seat_ = other.seat_;
  }
  return *this;
}

void Program::Lease::release() {
  if (!owner_) return;
  std::lock_guard lock(owner_->mutex_);
  if (seat_ == &owner_->first_) owner_->first_in_use_ = false;
  else owner_->idle_.emplace_back(seat_);
  owner_->returned_.notify_all();
  owner_ = nullptr;
}

}  // namespace ranvier
