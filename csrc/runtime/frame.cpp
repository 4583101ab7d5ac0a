#include "runtime/frame.h"

#include "base/threading.h"

namespace ranvier {

Frame::Frame(const Plan& plan, void* memory) : plan_(&plan) {
  auto* const arena = static_cast<std::byte*>(memory);
  scratch_ = arena + plan.scratch_offset_;
  bodies_.reserve(plan.bodies_.size());
  for (const Plan::Body& body : plan.bodies_) bodies_.emplace_back(*body.plan, arena + body.offset);
  for (const Plan::Value& input : plan.inputs_) inputs_.push_back(resolve(input.home, arena));
  for (const Plan::Value& output : plan.outputs_) outputs_.push_back(resolve(output.home, arena));
  operands_.reserve(plan.operands_.size());
  for (const Plan::Operand& operand : plan.operands_) operands_.push_back(resolve(operand, arena));
}

void* Frame::resolve(const Plan::Operand& operand, std::byte* arena) {
  switch (operand.place) {
    case Plan::Place::kNone: return nullptr;
    case Plan::Place::kArena: return arena + operand.offset;
    case Plan::Place::kInput: return inputs_[operand.index];
    case Plan::Place::kOutput: return const_cast<void*>(outputs_[operand.index]);
    case Plan::Place::kVariable: return plan_->variables_[operand.index]->buffer().data();
    case Plan::Place::kConstant: return const_cast<void*>(plan_->constants_[operand.index].data());
    case Plan::Place::kBody: return &bodies_[operand.index];
  }
  return nullptr;
}

bool Frame::run() {
  const std::uint32_t seen = g_interrupts.load(std::memory_order_acquire);
  if (interrupted()) [[unlikely]] return false;
  const std::size_t commit = plan_->commit_begin_, readout = plan_->readout_begin_;
  for (std::size_t i = 0; i < commit; ++i) {
    run_step(i);
    if (g_interrupts.load(std::memory_order_relaxed) != seen) [[unlikely]] return false;
  }
  for (std::size_t i = commit; i < readout; ++i) run_step(i);
  return true;
}

void Frame::readout() {
  for (std::size_t i = plan_->readout_begin_; i < plan_->steps_.size(); ++i) run_step(i);
}

void Frame::bind_input(std::size_t i, const void* data) {
  auto* const address = const_cast<void*>(data);
  inputs_[i] = address;
  for (const std::uint32_t use : plan_->inputs_[i].uses) operands_[use] = address;
  for (const std::uint32_t k : plan_->inputs_[i].outputs) outputs_[k] = address;
}

bool Frame::bind_output(std::size_t k, void* data) {
  const std::vector<std::uint32_t>& uses = plan_->outputs_[k].uses;
  if (uses.empty()) return false;
  for (const std::uint32_t use : uses) operands_[use] = data;
  outputs_[k] = data;
  return true;
}

bool Frame::run_measured(const Profiles& profiles) {
  const std::uint32_t seen = g_interrupts.load(std::memory_order_acquire);
  if (interrupted()) return false;
  std::vector<std::int64_t> stamps;
  stamps.reserve(plan_->readout_begin_ + 1);
  stamps.push_back(profile_clock());
  bool done = true;
  for (std::size_t i = 0; i < plan_->readout_begin_ && done; ++i) {
    run_step(i);
    plan_->backend_->synchronize();  // so that the clock reads what the step took
    stamps.push_back(profile_clock());
    done = i >= plan_->commit_begin_ || g_interrupts.load(std::memory_order_relaxed) == seen;
  }
  for (const ProfilePtr& profile : profiles) profile->add_steps(*plan_, 0, stamps);
  return done;
}

void Frame::readout(const Profiles& profiles) {
  if (profiles.empty()) return readout();
  std::vector<std::int64_t> stamps{profile_clock()};
  for (std::size_t i = plan_->readout_begin_; i < plan_->steps_.size(); ++i) {
    run_step(i);
    plan_->backend_->synchronize();
    stamps.push_back(profile_clock());
  }
  for (const ProfilePtr& profile : profiles) profile->add_steps(*plan_, plan_->readout_begin_, stamps);
}

}  // namespace ranvier
