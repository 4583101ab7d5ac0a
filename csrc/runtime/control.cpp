#include "runtime/control.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "ops/control.h"
#include "runtime/frame.h"

namespace ranvier {
namespace {

std::byte* at(void* base, std::int64_t offset) { return static_cast<std::byte*>(base) + offset; }

void copy(Memory& memory, void* to, const void* from, std::int64_t bytes) {
  if (to && to != from && bytes) memory.copy(to, from, static_cast<std::size_t>(bytes));
}

std::int64_t padded(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

// The bodies work in the step's scratch, one after the other. They read their inputs where they lie and write their
// outputs where they are wanted; only what a body passes on without computing it is copied. An interrupt leaves a step
// unfinished: the program around it discards what it wrote.
class Outputs {
 public:
  explicit Outputs(Frame& frame) : frame_(frame) {}
  void to(std::size_t k, void* place, std::int64_t bytes) {
    if (place && !frame_.bind_output(k, place)) copied_.push_back({k, place, bytes});
  }
  // After the run.
  void finish() {
    Memory& memory = frame_.plan().backend().memory();
    for (const Copied& c : copied_) copy(memory, c.place, frame_.output(c.output), c.bytes);
    copied_.clear();
  }

 private:
  struct Copied {
    std::size_t output;
    void* place;
    std::int64_t bytes;
  };
  Frame& frame_;
  std::vector<Copied> copied_;
};

// The frame of body i, whose address is operand `first` + i.
Frame& body_of(Operands operands, std::size_t first, std::size_t i = 0) { return *static_cast<Frame*>(operands[first + i]); }

// --- branch ---

struct Branch {
  std::int64_t bodies;
  std::size_t operands;
  std::vector<std::int64_t> bytes;  // of the items

  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Branch>();
    const std::size_t items = 1 + p.operands, frames = items + p.bytes.size();
    Memory& memory = body_of(operands, frames).plan().backend().memory();
    const std::int64_t index = value_at<std::int32_t>(memory, operands[0]);
    Frame& frame = body_of(operands, frames, static_cast<std::size_t>(std::clamp<std::int64_t>(index, 0, p.bodies - 1)));
    for (std::size_t i = 0; i < p.operands; ++i) frame.bind_input(i, operands[1 + i]);
    Outputs outputs(frame);
    for (std::size_t k = 0; k < p.bytes.size(); ++k) outputs.to(k, operands[items + k], p.bytes[k]);
    if (frame.run()) outputs.finish();
  }
};

// --- loops ---

// Carries are kept in two places in turn, so that a body never writes what it reads; or, where all of them are wanted, in
// a row each.
class Carries {
 public:
  Carries() = default;
  explicit Carries(const std::vector<TensorType>& types) {
    for (const TensorType& type : types) {
      bytes_.push_back(byte_size(type));
      offsets_.push_back(scratch_);
      scratch_ += 2 * padded(bytes_.back());
    }
  }
  std::int64_t scratch() const { return scratch_; }
  std::size_t count() const { return bytes_.size(); }
  std::int64_t bytes(std::size_t c) const { return bytes_[c]; }
  std::byte* place(void* scratch, std::size_t c, bool odd) const { return at(scratch, offsets_[c] + (odd ? padded(bytes_[c]) : 0)); }

 private:
  std::vector<std::int64_t> bytes_, offsets_;
  std::int64_t scratch_ = 0;
};

struct Loop {
  std::int64_t length;
  bool reverse;
  std::size_t invariants;
  Carries carries;
  std::vector<std::int64_t> scanned, stacked;  // bytes of a slice

  // Whether it computes no number, however often it runs. Its iterations are skipped then, with whatever in its body might
  // have refused data: there are no data to refuse.
  bool is_empty() const {
    const auto none = [](std::int64_t bytes) { return bytes == 0; };
    return carries.scratch() == 0 && std::all_of(stacked.begin(), stacked.end(), none);
  }

  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Loop>();
    const std::size_t carries = p.carries.count(), first_scanned = p.invariants + carries;
    void* const* items = operands.at + first_scanned + p.scanned.size();
    void* const* histories = items + carries + p.stacked.size();
    Frame& frame = *static_cast<Frame*>(histories[carries]);
    Memory& memory = frame.plan().backend().memory();
    for (std::size_t i = 0; i < p.invariants; ++i) frame.bind_input(i, operands[i]);
    std::vector<const void*> now(operands.at + p.invariants, operands.at + first_scanned);
    const auto slice = [&](std::int64_t k) { return p.reverse ? p.length - 1 - k : k; };
    Outputs outputs(frame);
    for (std::size_t c = 0; c < carries; ++c)
      if (p.length == 0) copy(memory, items[c], now[c], p.carries.bytes(c));
      else if (histories[c]) copy(memory, at(histories[c], slice(0) * p.carries.bytes(c)), now[c], p.carries.bytes(c));
    for (std::int64_t k = 0; k < p.length; ++k) {
      for (std::size_t s = 0; s < p.scanned.size(); ++s)
        frame.bind_input(first_scanned + s, at(operands[first_scanned + s], slice(k) * p.scanned[s]));
      for (std::size_t y = 0; y < p.stacked.size(); ++y)
        if (items[carries + y]) outputs.to(carries + y, at(items[carries + y], slice(k) * p.stacked[y]), p.stacked[y]);
      for (std::size_t c = 0; c < carries; ++c) {
        frame.bind_input(p.invariants + c, now[c]);
        std::byte* next = p.carries.place(operands.scratch, c, k % 2 != 0);
        if (k + 1 == p.length && items[c]) next = at(items[c], 0);
        else if (k + 1 < p.length && histories[c]) next = at(histories[c], slice(k + 1) * p.carries.bytes(c));
        outputs.to(c, next, p.carries.bytes(c));
        now[c] = next;
      }
      if (!frame.run()) return;
      outputs.finish();
    }
  }
};

struct While {
  std::size_t invariants;
  std::int64_t limit;
  Carries carries;

  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<While>();
    const std::size_t carries = p.carries.count(), items = p.invariants + carries;
    Frame &condition = body_of(operands, items + carries, 0), &body = body_of(operands, items + carries, 1);
    Memory& memory = body.plan().backend().memory();
    for (Frame* frame : {&condition, &body})
      for (std::size_t i = 0; i < p.invariants; ++i) frame->bind_input(i, operands[i]);
    std::vector<const void*> now(operands.at + p.invariants, operands.at + items);
    Outputs outputs(body);
    for (std::int64_t k = 0; p.limit < 0 || k < p.limit; ++k) {
      for (Frame* frame : {&condition, &body})
        for (std::size_t c = 0; c < carries; ++c) frame->bind_input(p.invariants + c, now[c]);
      if (!condition.run()) return;
      if (!value_at<bool>(memory, condition.output(0))) break;
      for (std::size_t c = 0; c < carries; ++c) {
        std::byte* next = p.carries.place(operands.scratch, c, k % 2 != 0);
        outputs.to(c, next, p.carries.bytes(c));
        now[c] = next;
      }
      if (!body.run()) return;
      outputs.finish();
    }
    for (std::size_t c = 0; c < carries; ++c) copy(memory, operands[items + c], now[c], p.carries.bytes(c));
  }
};

// Of a loop: what its body's steps compute, and its operands' bytes, each once however often a body reads them.
std::shared_ptr<Cost> cost_of_loop(const Loop& p, const Plan& plan, const Body& body) {
  auto cost = std::make_shared<Cost>();
  const auto times = static_cast<double>(p.length);
  const Cost* most = nullptr;
  for (const Step& step : plan.steps()) {
    if (!step.cost) continue;
    cost->flops += times * step.cost->flops;
    if (!most || step.cost->flops > most->flops) most = step.cost.get();
  }
  cost->what = "loop, " + std::to_string(p.length) + " times " + std::to_string(plan.steps().size()) + " steps";
  if (most && most->flops > 0) {
    cost->what += ": " + most->what;
    cost->dtype = most->dtype;
  }
  const std::size_t once = p.invariants + p.carries.count();
  for (std::size_t i = 0; i < once; ++i) cost->bytes_read += static_cast<double>(byte_size(body.input(i)));
  for (std::int64_t bytes : p.scanned) cost->bytes_read += times * static_cast<double>(bytes);
  for (std::size_t c = 0; c < p.carries.count(); ++c) cost->bytes_written += static_cast<double>(p.carries.bytes(c));
  for (std::int64_t bytes : p.stacked) cost->bytes_written += times * static_cast<double>(bytes);
  return cost;
}

// Which branch will run, and how often a while_loop will, nobody knows.
std::shared_ptr<Cost> unknown_cost(const Node& node) {
  auto cost = std::make_shared<Cost>();
  cost->what = node.op->name;
  return cost;
}

template <class Params>
Step make(const Node& node, Params params, std::int64_t scratch, std::shared_ptr<const Cost> cost) {
  Step step;
  step.run = Params::run;
  step.params = std::make_shared<const Params>(std::move(params));
  step.scratch_bytes = static_cast<std::size_t>(scratch);
  step.name = node.op->name;
  step.cost = std::move(cost);
  return step;
}

PlanPtr compile(Backend& backend, const Body& body, bool fuse) { return make_plan(backend, body.graph, body.outputs, fuse, "body"); }

// What bodies need that use the same memory, one after the other.
std::int64_t most_arena(const std::vector<Plan::Body>& bodies) {
  std::int64_t bytes = 0;
  for (const Plan::Body& body : bodies) bytes = std::max(bytes, body.plan->arena_bytes());
  return bytes;
}

ControlStep plan_branch(Backend& backend, const Node& node, bool fuse) {
  ControlStep result;
  for (const BodyPtr& body : branch_bodies(node)) result.bodies.push_back({compile(backend, *body, fuse), 0});
  Branch p{static_cast<std::int64_t>(result.bodies.size()), node.inputs.size() - 1, {}};
  for (const TensorType& type : item_types(node)) p.bytes.push_back(byte_size(type));
  result.step = make(node, std::move(p), most_arena(result.bodies), unknown_cost(node));
  return result;
}

ControlStep plan_loop(Backend& backend, const Node& node, bool fuse) {
  const LoopParts parts = loop_parts(node);
  std::vector<TensorType> carries;
  for (std::size_t c = 0; c < parts.carries; ++c) carries.push_back(parts.body.output(c));
  Loop p{parts.length, parts.reverse, parts.invariants, Carries(carries), {}, {}};
  for (std::size_t s = 0; s < parts.scanned; ++s) p.scanned.push_back(byte_size(parts.body.input(parts.invariants + parts.carries + s)));
  for (std::size_t y = 0; y < parts.stacked; ++y) p.stacked.push_back(byte_size(parts.body.output(parts.carries + y)));
  ControlStep result;
  result.bodies.push_back({compile(backend, parts.body, fuse), p.carries.scratch()});
  const std::int64_t scratch = p.carries.scratch() + most_arena(result.bodies);
  auto cost = cost_of_loop(p, *result.bodies[0].plan, parts.body);
  if (p.is_empty()) p.length = 0;
  result.step = make(node, std::move(p), scratch, std::move(cost));
  return result;
}

ControlStep plan_while(Backend& backend, const Node& node, bool fuse) {
  While p{static_cast<std::size_t>(node.attributes.get<std::int64_t>("invariants")), node.attributes.get<std::int64_t>("limit"),
          Carries(item_types(node))};
  ControlStep result;
  for (const char* name : {"condition", "body"})
    result.bodies.push_back({compile(backend, *node.attributes.get<BodyPtr>(name), fuse), p.carries.scratch()});
  const std::int64_t scratch = p.carries.scratch() + most_arena(result.bodies);
  result.step = make(node, std::move(p), scratch, unknown_cost(node));
  return result;
}

}  // namespace

ControlStep plan_control(Backend& backend, const Node& node, bool fuse) {
  switch (op_of(*node.op)) {
    case Op::branch: return plan_branch(backend, node, fuse);
    case Op::loop: return plan_loop(backend, node, fuse);
    case Op::while_loop: return plan_while(backend, node, fuse);
    default: break;
  }
  fail(ErrorKind::kRuntime, "'", node.op->name, "' is no control flow.");
}

}  // namespace ranvier
