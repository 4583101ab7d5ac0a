#include "runtime/program.h"

#include <functional>
#include <sstream>

#include "base/threading.h"

namespace ranvier {

bool Program::run() {
  const std::uint32_t seen = g_interrupts.load(std::memory_order_acquire);
  if (interrupted()) [[unlikely]] return false;
  for (std::size_t i = 0; i < commit_begin_; ++i) {
    steps_[i].run(steps_[i]);
    if (g_interrupts.load(std::memory_order_relaxed) != seen) [[unlikely]] return false;
  }
  for (std::size_t i = commit_begin_; i < readout_begin_; ++i) steps_[i].run(steps_[i]);
  return true;
}

void Program::readout() {
  for (std::size_t i = readout_begin_; i < steps_.size(); ++i) steps_[i].run(steps_[i]);
}

void Program::bind_input(std::size_t i, const void* data) {
  auto* address = const_cast<void*>(data);
  inputs_[i] = address;
  for (const auto& [step, operand] : input_slots_[i].steps) steps_[step].operands[operand] = address;
  for (std::size_t k : input_slots_[i].outputs) outputs_[k] = address;
}

bool Program::bind_output(std::size_t k, void* data) {
  if (output_slots_[k].steps.empty()) return false;
  for (const auto& [step, operand] : output_slots_[k].steps) steps_[step].operands[operand] = data;
  outputs_[k] = data;
  return true;
}

void Program::move_to(void* memory) {
  std::byte* const from = base_;
  auto* const to = static_cast<std::byte*>(memory);
  if (from == to) return;
  const auto moved = [&](const void* pointer) -> void* {
    const auto* at = static_cast<const std::byte*>(pointer);
    const bool inside = !std::less<const std::byte*>{}(at, from) && std::less<const std::byte*>{}(at, from + arena_bytes_);
    return inside ? to + (at - from) : const_cast<void*>(pointer);
  };
  for (Step& step : steps_) {
    step.scratch = moved(step.scratch);
    for (void*& operand : step.operands) operand = moved(operand);
  }
  for (void*& input : inputs_) input = moved(input);
  for (const void*& output : outputs_) output = moved(output);
  base_ = to;
  arena_ = AlignedBuffer();
}

bool Program::run_measured(const Profiles& profiles) {
  const std::uint32_t seen = g_interrupts.load(std::memory_order_acquire);
  if (interrupted()) return false;
  std::vector<std::int64_t> stamps;
  stamps.reserve(readout_begin_ + 1);
  stamps.push_back(profile_clock());
  bool done = true;
  for (std::size_t i = 0; i < readout_begin_ && done; ++i) {
    steps_[i].run(steps_[i]);
    stamps.push_back(profile_clock());
    done = i >= commit_begin_ || g_interrupts.load(std::memory_order_relaxed) == seen;
  }
  for (const ProfilePtr& profile : profiles) profile->add_steps(*this, 0, stamps);
  return done;
}

void Program::readout(const Profiles& profiles) {
  if (profiles.empty()) return readout();
  std::vector<std::int64_t> stamps{profile_clock()};
  for (std::size_t i = readout_begin_; i < steps_.size(); ++i) {
    steps_[i].run(steps_[i]);
    stamps.push_back(profile_clock());
  }
  for (const ProfilePtr& profile : profiles) profile->add_steps(*this, readout_begin_, stamps);
}

const char* Program::phase_of(std::size_t step) const {
  return step < commit_begin_ ? "main" : step < readout_begin_ ? "commit" : "readout";
}

std::string Program::text() const {
  std::ostringstream out;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    out << i << " " << phase_of(i) << " " << steps_[i].name << " (" << steps_[i].operands.size() << " operands)\n";
  }
  out << "arena " << arena_bytes_ << " bytes\n";
  return out.str();
}

}  // namespace ranvier
