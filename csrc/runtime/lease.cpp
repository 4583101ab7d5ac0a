// Who uses a program's memory: turns, and copies for programs that write no variables.
#include <algorithm>

#include "base/threading.h"
#include "runtime/program.h"

namespace ranvier {
namespace {

// What the arenas of a program's copies may take together.
constexpr std::int64_t kMostCopyBytes = std::int64_t{256} << 20;

}  // namespace

Program::Program(const Program& original, AlignedBuffer arena)
    : name_(original.name_), serial_(original.serial_), steps_(original.steps_), commit_begin_(original.commit_begin_),
      readout_begin_(original.readout_begin_), arena_(std::move(arena)), inputs_(original.inputs_), outputs_(original.outputs_),
      input_types_(original.input_types_), output_types_(original.output_types_), variables_(original.variables_),
      constants_(original.constants_), alone_(original.alone_) {
  base_ = arena_.as<std::byte>();
  arena_bytes_ = original.arena_bytes_;
  const auto* from = original.arena_.as<std::byte>();
  const std::byte* end = from + original.arena_.size();
  const auto moved = [&](const void* pointer) -> void* {
    const auto* at = static_cast<const std::byte*>(pointer);
    if (at < from || at >= end) return const_cast<void*>(pointer);  // a variable's or a constant's memory
    return arena_.as<std::byte>() + (at - from);
  };
  for (Step& step : steps_) {
    step.scratch = moved(step.scratch);
    for (void*& operand : step.operands) operand = moved(operand);
    if (step.copy_params) step.params = step.copy_params(step.params.get());
  }
  for (void*& input : inputs_) input = moved(input);
  for (const void*& output : outputs_) output = moved(output);
}

std::unique_ptr<Program> Program::copy() const {
  return std::unique_ptr<Program>(new Program(*this, AlignedBuffer(arena_.size(), true)));
}

Program::Lease Program::try_lease(Use use) {
  {
    std::lock_guard lock(mutex_);
    if (!in_use_) {
      in_use_ = true;
      return {this, this};
    }
    if (use == Use::kAlone || alone_) return {};
    if (!idle_.empty()) {
      Program* program = idle_.back().release();
      idle_.pop_back();
      return {this, program};
    }
    const std::int64_t most = kMostCopyBytes / std::max<std::int64_t>(1, arena_bytes());
    if (copies_ >= std::min<std::int64_t>(most, 2 * processors() - 1)) return {};
    idle_.reserve(static_cast<std::size_t>(++copies_));  // so that giving back cannot fail
  }
  try {
    return {this, copy().release()};
  } catch (...) {
    std::lock_guard lock(mutex_);
    --copies_;
    throw;
  }
}

Program::Lease Program::lease(Use use) {
  for (;;) {
    if (Lease found = try_lease(use)) return found;
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !in_use_ || (use == Use::kCopies && !idle_.empty()); });
  }
}

Program::Lease& Program::Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    owner_ = std::exchange(other.owner_, nullptr);
    program_ = other.program_;
  }
  return *this;
}

void Program::Lease::release() {
  if (!owner_) return;
  std::lock_guard lock(owner_->mutex_);
  if (program_ == owner_) owner_->in_use_ = false;
  else owner_->idle_.emplace_back(program_);
  owner_->returned_.notify_all();
  owner_ = nullptr;
}

}  // namespace ranvier
