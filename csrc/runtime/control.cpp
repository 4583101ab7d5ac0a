#include "runtime/control.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/threading.h"
#include "ops/control.h"
#include "runtime/program.h"

namespace ranvier {
namespace {

using ProgramPtr = std::shared_ptr<Program>;

// What the programs of a step are compiled from, so that a copy of the program around it has its own: programs that are
// running cannot be copied, since their operands are being bound.
struct Source {
  Node node;
  bool fuse;
};

ProgramPtr compile(const Body& body, bool fuse) { return std::make_shared<Program>(body.graph, body.outputs, fuse, "body"); }

std::byte* at(void* base, std::int64_t offset) { return static_cast<std::byte*>(base) + offset; }

void copy(void* to, const void* from, std::int64_t bytes) {
  if (to && to != from && bytes) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

std::int64_t padded(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

// The bodies' programs work in the step's scratch, one after the other. They read their inputs where they lie and write their
// outputs where they are wanted; only what a body passes on without computing it is copied. An interrupt leaves a step
// unfinished: the program around it discards what it wrote.
class Outputs {
 public:
  explicit Outputs(Program& program) : program_(program) {}
  void to(std::size_t k, void* place, std::int64_t bytes) {
    if (place && !program_.bind_output(k, place)) copied_.push_back({k, place, bytes});
  }
  // After the run.
  void finish() {
    for (const Copied& c : copied_) copy(c.place, program_.output(c.output), c.bytes);
    copied_.clear();
  }

 private:
  struct Copied {
    std::size_t output;
    void* place;
    std::int64_t bytes;
  };
  Program& program_;
  std::vector<Copied> copied_;
};

// --- branch ---

struct Branch {
  Source source;
  std::vector<ProgramPtr> programs;
  std::size_t operands;
  std::vector<std::int64_t> bytes;  // of the items

  static void run(const Step& step) {
    const auto& p = step.as<Branch>();
    const std::int64_t index = *static_cast<const std::int32_t*>(step.operands[0]);
    const std::int64_t last = static_cast<std::int64_t>(p.programs.size()) - 1;
    Program& program = *p.programs[static_cast<std::size_t>(std::clamp<std::int64_t>(index, 0, last))];
    program.move_to(step.scratch);
    for (std::size_t i = 0; i < p.operands; ++i) program.bind_input(i, step.operands[1 + i]);
    Outputs outputs(program);
    for (std::size_t k = 0; k < p.bytes.size(); ++k) outputs.to(k, step.operands[1 + p.operands + k], p.bytes[k]);
    if (program.run()) outputs.finish();
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
  Source source;
  ProgramPtr program;
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

  static void run(const Step& step) {
    const auto& p = step.as<Loop>();
    Program& program = *p.program;
    program.move_to(at(step.scratch, p.carries.scratch()));
    const std::size_t carries = p.carries.count(), first_scanned = p.invariants + carries;
    void* const* items = step.operands.data() + first_scanned + p.scanned.size();
    void* const* histories = items + carries + p.stacked.size();
    for (std::size_t i = 0; i < p.invariants; ++i) program.bind_input(i, step.operands[i]);
    std::vector<const void*> now(step.operands.begin() + static_cast<std::ptrdiff_t>(p.invariants),
                                 step.operands.begin() + static_cast<std::ptrdiff_t>(first_scanned));
    const auto slice = [&](std::int64_t k) { return p.reverse ? p.length - 1 - k : k; };
    Outputs outputs(program);
    for (std::size_t c = 0; c < carries; ++c)
      if (p.length == 0) copy(items[c], now[c], p.carries.bytes(c));
      else if (histories[c]) copy(at(histories[c], slice(0) * p.carries.bytes(c)), now[c], p.carries.bytes(c));
    for (std::int64_t k = 0; k < p.length; ++k) {
      for (std::size_t s = 0; s < p.scanned.size(); ++s)
        program.bind_input(first_scanned + s, at(step.operands[first_scanned + s], slice(k) * p.scanned[s]));
      for (std::size_t y = 0; y < p.stacked.size(); ++y)
        if (items[carries + y]) outputs.to(carries + y, at(items[carries + y], slice(k) * p.stacked[y]), p.stacked[y]);
      for (std::size_t c = 0; c < carries; ++c) {
        program.bind_input(p.invariants + c, now[c]);
        std::byte* next = p.carries.place(step.scratch, c, k % 2 != 0);
        if (k + 1 == p.length && items[c]) next = at(items[c], 0);
        else if (k + 1 < p.length && histories[c]) next = at(histories[c], slice(k + 1) * p.carries.bytes(c));
        outputs.to(c, next, p.carries.bytes(c));
        now[c] = next;
      }
      if (!program.run()) return;
      outputs.finish();
    }
  }
};

struct While {
  Source source;
  ProgramPtr condition, body;
  std::size_t invariants;
  std::int64_t limit;
  Carries carries;

  static void run(const Step& step) {
    const auto& p = step.as<While>();
    const std::size_t carries = p.carries.count();
    for (Program* program : {p.condition.get(), p.body.get()}) program->move_to(at(step.scratch, p.carries.scratch()));
    for (Program* program : {p.condition.get(), p.body.get()})
      for (std::size_t i = 0; i < p.invariants; ++i) program->bind_input(i, step.operands[i]);
    std::vector<const void*> now(step.operands.begin() + static_cast<std::ptrdiff_t>(p.invariants),
                                 step.operands.begin() + static_cast<std::ptrdiff_t>(p.invariants + carries));
    Outputs outputs(*p.body);
    for (std::int64_t k = 0; p.limit < 0 || k < p.limit; ++k) {
      for (Program* program : {p.condition.get(), p.body.get()})
        for (std::size_t c = 0; c < carries; ++c) program->bind_input(p.invariants + c, now[c]);
      if (!p.condition->run()) return;
      if (!*static_cast<const bool*>(p.condition->output(0))) break;
      for (std::size_t c = 0; c < carries; ++c) {
        std::byte* next = p.carries.place(step.scratch, c, k % 2 != 0);
        outputs.to(c, next, p.carries.bytes(c));
        now[c] = next;
      }
      if (!p.body->run()) return;
      outputs.finish();
    }
    for (std::size_t c = 0; c < carries; ++c) copy(step.operands[p.invariants + carries + c], now[c], p.carries.bytes(c));
  }
};

// Of a loop: what its body's steps compute, and its operands' bytes, each once however often a body reads them.
std::shared_ptr<Cost> cost_of_loop(const Loop& p, const Body& body) {
  auto cost = std::make_shared<Cost>();
  const auto times = static_cast<double>(p.length);
  const Cost* most = nullptr;
  for (std::size_t i = 0; i < p.program->step_count(); ++i) {
    const Cost* step = p.program->cost_of(i).get();
    if (!step) continue;
    cost->flops += times * step->flops;
    if (!most || step->flops > most->flops) most = step;
  }
  cost->what = "loop, " + std::to_string(p.length) + " times " + std::to_string(p.program->step_count()) + " steps";
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
Step make(Params params, std::int64_t scratch, std::shared_ptr<const Cost> cost) {
  const char* const name = params.source.node.op->name;
  Step step;
  step.run = Params::run;
  step.params = std::make_shared<const Params>(std::move(params));
  step.copy_params = [](const void* original) {
    const Source& source = static_cast<const Params*>(original)->source;
    return plan_control(source.node, source.fuse).params;
  };
  step.scratch_bytes = static_cast<std::size_t>(scratch);
  step.name = name;
  step.cost = std::move(cost);
  return step;
}

Step plan_branch(const Node& node, bool fuse) {
  Branch p{{node, fuse}, {}, node.inputs.size() - 1, {}};
  for (const BodyPtr& body : branch_bodies(node)) p.programs.push_back(compile(*body, fuse));
  for (const TensorType& type : item_types(node)) p.bytes.push_back(byte_size(type));
  std::int64_t scratch = 0;
  for (const ProgramPtr& program : p.programs) scratch = std::max(scratch, program->arena_bytes());
  return make(std::move(p), scratch, unknown_cost(node));
}

Step plan_loop(const Node& node, bool fuse) {
  const LoopParts parts = loop_parts(node);
  std::vector<TensorType> carries;
  for (std::size_t c = 0; c < parts.carries; ++c) carries.push_back(parts.body.output(c));
  Loop p{{node, fuse}, compile(parts.body, fuse), parts.length, parts.reverse, parts.invariants, Carries(carries), {}, {}};
  for (std::size_t s = 0; s < parts.scanned; ++s) p.scanned.push_back(byte_size(parts.body.input(parts.invariants + parts.carries + s)));
  for (std::size_t y = 0; y < parts.stacked; ++y) p.stacked.push_back(byte_size(parts.body.output(parts.carries + y)));
  const std::int64_t scratch = p.carries.scratch() + p.program->arena_bytes();
  auto cost = cost_of_loop(p, parts.body);
  if (p.is_empty()) p.length = 0;
  return make(std::move(p), scratch, std::move(cost));
}

Step plan_while(const Node& node, bool fuse) {
  const Body& body = *node.attributes.get<BodyPtr>("body");
  While p{{node, fuse}, compile(*node.attributes.get<BodyPtr>("condition"), fuse), compile(body, fuse),
          static_cast<std::size_t>(node.attributes.get<std::int64_t>("invariants")), node.attributes.get<std::int64_t>("limit"),
          Carries(item_types(node))};
  const std::int64_t scratch = p.carries.scratch() + std::max(p.condition->arena_bytes(), p.body->arena_bytes());
  return make(std::move(p), scratch, unknown_cost(node));
}

}  // namespace

Step plan_control(const Node& node, bool fuse) {
  switch (op_of(*node.op)) {
    case Op::branch: return plan_branch(node, fuse);
    case Op::loop: return plan_loop(node, fuse);
    case Op::while_loop: return plan_while(node, fuse);
    default: break;
  }
  fail(ErrorKind::kRuntime, "'", node.op->name, "' is no control flow.");
}

}  // namespace ranvier
