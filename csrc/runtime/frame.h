// One caller's use of a plan: an arena, and the addresses of all operands in it, looked up once.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/plan.h"
#include "runtime/profile.h"

namespace ranvier {

class Frame {
 public:
  // Works in `arena` (plan.arena_bytes() of the backend's memory, aligned to 64). Plan and arena must outlive the frame.
  Frame(const Plan& plan, void* arena);
  Frame(const Frame&) = delete;
  Frame(Frame&&) = default;

  const Plan& plan() const { return *plan_; }

  // One step of training or one prediction: computes, then writes the variables. False when it was interrupted before the
  // first write: nothing has changed then. Throws Error, likewise before the first write, when a step refuses its data.
  bool run();
  // Computes the outputs that run() left out. To be called after run(), before the inputs change.
  void readout();
  // The same, measured; without profiles just the same.
  bool run(const Profiles& profiles) { return profiles.empty() ? run() : run_measured(profiles); }
  void readout(const Profiles& profiles);

  // In the backend's memory.
  void* input(std::size_t i) const { return inputs_[i]; }
  const void* output(std::size_t k) const { return outputs_[k]; }

  // Has the frame read an input elsewhere from now on. It never writes there.
  void bind_input(std::size_t i, const void* data);
  // Has it write an output elsewhere, which must not overlap with anything that it reads. False, and nothing changed, for
  // an output that it does not compute (an input, a constant) or that is also another output.
  bool bind_output(std::size_t k, void* data);

 private:
  void* resolve(const Plan::Operand& operand, std::byte* arena);
  void run_step(std::size_t i) const { plan_->steps_[i].run(plan_->steps_[i], {operands_.data() + plan_->first_operand_[i], scratch_}); }
  bool run_measured(const Profiles& profiles);

  const Plan* plan_;
  void* scratch_;
  std::vector<void*> operands_, inputs_;
  std::vector<const void*> outputs_;
  std::vector<Frame> bodies_;
};

}  // namespace ranvier
