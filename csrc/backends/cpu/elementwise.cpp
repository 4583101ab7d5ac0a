// Steps that run fused elementwise chains.
#include "backends/cpu/block_program.h"
#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

struct Segment {
  BlockProgram program;
  std::int64_t first_task;
  std::size_t first_operand;
};

struct Params {
  std::vector<Segment> segments;
  std::int64_t tasks = 0;
  int threads = 1;
  std::size_t scratch_each = 0;
};

void run_segment_task(Operands operands, const Params& p, std::int64_t task, int thread) {
  std::size_t s = p.segments.size() - 1;
  while (p.segments[s].first_task > task) --s;
  const Segment& segment = p.segments[s];
  auto* scratch = static_cast<std::byte*>(operands.scratch) + static_cast<std::size_t>(thread) * p.scratch_each;
  segment.program.run_task(task - segment.first_task, operands.at + segment.first_operand, scratch);
}

void run(const Step& step, Operands operands) {
  const Params& p = step.as<Params>();
  if (p.threads == 1) {  // segment by segment, without a search
    for (const Segment& segment : p.segments)
      for (std::int64_t task = 0, tasks = segment.program.tasks(); task < tasks; ++task)
        if (!gave_up(step))
          segment.program.run_task(task, operands.at + segment.first_operand, static_cast<std::byte*>(operands.scratch));
    return;
  }
  run_tasks(step, p.threads, p.tasks, [&](std::int64_t task, int thread) { run_segment_task(operands, p, task, thread); });
}

}  // namespace

bool can_merge(const ElementwiseSpec& a, const ElementwiseSpec& b) {
  if (!(a.code == b.code) || a.outputs != b.outputs || a.in_place != b.in_place) return false;
  return BlockProgram(a, kernels(), false).same_code(BlockProgram(b, kernels(), false));
}

Step plan_elementwise(const std::vector<ElementwiseSpec>& specs, int max_threads) {
  Params params;
  std::size_t operand = 0;
  double cost = 0;
  for (const ElementwiseSpec& spec : specs) {
    Segment segment{BlockProgram(spec, kernels(), false), params.tasks, operand};
    params.tasks += segment.program.tasks();
    operand += spec.inputs.size() + spec.outputs.size();
    params.scratch_each = std::max(params.scratch_each, segment.program.scratch_bytes());
    cost += segment.program.cost_ns();
    params.segments.push_back(std::move(segment));
  }
  params.threads = static_cast<int>(std::min<std::int64_t>(threads_for(cost, max_threads), std::max<std::int64_t>(1, params.tasks)));
  Step step;
  step.run = run;
  step.name = "elementwise";
  step.cost = cost_of_elementwise(specs);
  step.scratch_bytes = params.scratch_each * static_cast<std::size_t>(params.threads);
  step.params = std::make_shared<const Params>(std::move(params));
  return step;
}

}  // namespace ranvier::cpu
