// Compiles a graph: schedule, homes of values, steps, arena.
#include <algorithm>
#include <map>
#include <tuple>

#include "base/threading.h"
#include "ops/control.h"
#include "passes/memory_plan.h"
#include "passes/schedule.h"
#include "passes/simplify.h"
#include "runtime/control.h"
#include "runtime/plan.h"
#include "runtime/profile.h"

namespace ranvier {
namespace {

// An input's shape as the consumer walks it, without the axes along which the consumer has extent 1.
Shape squeezed_with(const Shape& operand, const Shape& consumer) {
  Shape result;
  const int missing = consumer.rank() - operand.rank();
  for (int i = 0; i < consumer.rank(); ++i)
    if (consumer[i] != 1) result.push_back(i < missing ? 1 : operand[i - missing]);
  return result;
}

}  // namespace

class PlanBuilder {
 public:
  PlanBuilder(Backend& backend, std::string name, const Graph& graph, const std::vector<NodeId>& outputs, bool fuse)
      : plan_(new Plan(backend, std::move(name))), graph_(graph), fuse_(fuse), outputs_(outputs),
        schedule_(make_schedule(graph, outputs, fuse, [this](NodeId id) { return backend_takes_epilogue(id); })),
        homes_(static_cast<std::size_t>(graph.size())) {}

  PlanPtr build() {
    plan_->writes_variables_ = !graph_.stores().empty();
    find_readers();
    choose_homes();
    snapshot_overwritten();
    for (int u = 0; u < static_cast<int>(schedule_.units.size()); ++u) {
      if (schedule_.units[static_cast<std::size_t>(u)].phase == Phase::kReadout && !readout_started_) finish_commit();
      plan_unit(u);
    }
    if (!readout_started_) finish_commit();
    flush_merged();
    place();
    return std::move(plan_);
  }

 private:
  enum class Home { kNone, kArena, kVariable, kConstant };
  struct Residence {
    Home home = Home::kNone;
    int value = -1;                     // index into lifetimes_ (kArena)
    VariableStorage* variable = nullptr;
  };
  // Of a planned step: a root of the graph, or an arena value of no node, or the frame of a body.
  struct Ref {
    NodeId root = -1;
    int value = -1;
    int body = -1;
    bool is_null() const { return root < 0 && value < 0 && body < 0; }
  };

  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }
  NodeId root(NodeId id) const { return root_of(graph_, id); }
  int unit_of(NodeId id) const { return schedule_.unit_of[at(id)]; }
  const Unit& unit(int u) const { return schedule_.units[static_cast<std::size_t>(u)]; }
  bool is_variable(NodeId id) const { return static_cast<bool>(graph_[id].variable) && graph_[id].op->is(kLeaf); }

  // readers_[root]: units that read it. stored_[root]: the variables that take it.
  void find_readers() {
    readers_.assign(homes_.size(), {});
    escapes_.assign(homes_.size(), false);
    for (int u = 0; u < static_cast<int>(schedule_.units.size()); ++u) {
      const auto visit = [&](NodeId id) {
        for (NodeId input : graph_[id].inputs) readers_[at(root(input))].push_back(u);
      };
      if (unit(u).op >= 0) visit(unit(u).op);
      for (NodeId id : unit(u).elementwise) visit(id);
    }
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (is_variable(id)) leaves_of_[graph_[id].variable.get()].push_back(id);
    for (NodeId id : outputs_) escapes_[at(root(id))] = true;
    for (NodeId id : graph_.stores()) {
      escapes_[at(root(graph_[id].inputs[0]))] = true;
      store_of_[graph_[id].variable.get()] = id;
    }
  }

  // May the unit that computes `value` write it straight into the variable? Everybody else must have read the old
  // value in an earlier unit.
  bool may_overwrite(NodeId value, VariableStorage* variable) const {
    const int u = unit_of(value);
    if (u < 0 || unit(u).phase != Phase::kCommit || value == unit(u).op) return false;
    const auto leaves = leaves_of_.find(variable);
    if (leaves == leaves_of_.end()) return true;
    for (NodeId id : leaves->second) {
      if (escapes_[at(id)]) return false;
      for (int reader : readers_[at(id)])
        if (reader > u || (reader < u && merge_key(reader) == merge_key(u))) return false;
      for (int reader : readers_[at(id)])
        if (reader == u && !reads_in_step(u, id)) return false;
    }
    return true;
  }
  using Key = std::tuple<Phase, int, int>;
  Key merge_key(int u) const { return {unit(u).phase, unit(u).level, unit(u).piece}; }

  // Whether the unit reads the variable element by element only, never broadcast and never in a product.
  bool reads_in_step(int u, NodeId variable) const {
    if (unit(u).op >= 0)
      for (NodeId input : graph_[unit(u).op].inputs)
        if (root(input) == variable) return false;
    for (NodeId id : unit(u).elementwise)
      for (NodeId input : graph_[id].inputs)
        if (root(input) == variable && graph_.type(input).shape.size() != graph_.type(id).shape.size()) return false;
    return true;
  }

  // Steps are planned after their values: what no memory can hold is refused before a planner counts its elements.
  int new_value(std::int64_t bytes) {
    require_memory(static_cast<std::size_t>(bytes));
    lifetimes_.push_back({bytes, 1 << 30, -1});
    return static_cast<int>(lifetimes_.size()) - 1;
  }

  void to_arena(NodeId id) { homes_[at(id)] = {Home::kArena, new_value(byte_size(graph_.type(id))), nullptr}; }

  void choose_homes() {
    for (NodeId id : graph_.inputs()) {
      to_arena(id);
      use(homes_[at(id)].value, -1);
    }
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (is_variable(id)) homes_[at(id)] = {Home::kVariable, -1, graph_[id].variable.get()};
      else if (graph_[id].data) homes_[at(id)] = {Home::kConstant, -1, nullptr};
    }
    for (NodeId id : graph_.stores()) {
      const NodeId value = root(graph_[id].inputs[0]);
      VariableStorage* variable = graph_[id].variable.get();
      const bool direct = homes_[at(value)].home == Home::kNone && store_of_[variable] == id && may_overwrite(value, variable);
      if (direct) homes_[at(value)] = {Home::kVariable, -1, variable};
      else if (store_of_[variable] == id) late_stores_.push_back(id);
    }
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (graph_[id].op->is(kProjection) && unit_of(id) >= 0) to_arena(id);
    for (int u = 0; u < static_cast<int>(schedule_.units.size()); ++u) {
      if (unit(u).op >= 0 && unit(u).elementwise.empty() && !graph_[unit(u).op].op->is(kControl)) to_arena(unit(u).op);
      for (NodeId id : unit(u).elementwise)
        if (homes_[at(id)].home == Home::kNone && leaves_unit(id, u)) to_arena(id);
    }
  }

  bool leaves_unit(NodeId id, int u) const {
    if (escapes_[at(id)]) return true;
    return std::any_of(readers_[at(id)].begin(), readers_[at(id)].end(), [&](int reader) { return reader != u; });
  }

  // Old values of variables that are wanted after the variable is written: outputs, and sources of late stores.
  void snapshot_overwritten() {
    for (NodeId id : graph_.stores()) snapshot(root(graph_[id].inputs[0]));
    for (NodeId id : outputs_) snapshot(root(id));
  }
  void snapshot(NodeId id) {
    if (!is_variable(id) || !store_of_.count(graph_[id].variable.get()) || snapshots_.count(id)) return;
    const int value = new_value(byte_size(graph_.type(id)));
    snapshots_[id] = value;
    add_step(copy_step(graph_.type(id)), {{id, -1}, {-1, value}});
  }
  Step copy_step(const TensorType& type) {
    static const Attributes none;
    return backend().plan({def_store, none, {type}, type, 1});
  }
  Ref read_later(NodeId id) const {
    const auto it = snapshots_.find(id);
    return it == snapshots_.end() ? Ref{id, -1} : Ref{-1, it->second};
  }

  void use(int value, int step) {
    Lifetime& life = lifetimes_[static_cast<std::size_t>(value)];
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  }

  // The arena value of an operand, or -1.
  int value_of(const Ref& operand) const { return operand.value >= 0 ? operand.value : homes_[at(operand.root)].value; }

  void add_step(Step step, std::vector<Ref> operands) {
    const int number = static_cast<int>(plan_->steps_.size());
    for (const Ref& operand : operands) {
      if (operand.is_null() || operand.body >= 0) continue;
      if (const int value = value_of(operand); value >= 0) use(value, number);
    }
    step.interruptible = !commit_started_;
    plan_->steps_.push_back(std::move(step));
    operands_.push_back(std::move(operands));
  }

  Backend& backend() const { return *plan_->backend_; }

  OpRequest request_of(NodeId id, bool interruptible) const {
    const Node& node = graph_[id];
    OpRequest result{*node.op, node.attributes, {}, node.type, max_threads(), interruptible};
    for (NodeId input : node.inputs) result.inputs.push_back(graph_.type(input));
    return result;
  }
  OpRequest request(NodeId id) const { return request_of(id, unit(unit_of(id)).phase == Phase::kMain); }
  bool backend_takes_epilogue(NodeId id) const { return backend().takes_epilogue(request_of(id, true)); }

  void plan_unit(int u) {
    const Unit& work = unit(u);
    if (work.phase != Phase::kMain && !commit_started_) {
      flush_merged();
      commit_started_ = true;
      plan_->commit_begin_ = plan_->steps_.size();
    }
    if (work.op < 0) return plan_chain(u);
    flush_merged();
    std::vector<Ref> operands;
    for (NodeId input : graph_[work.op].inputs) operands.push_back({root(input), -1});
    if (graph_[work.op].op->is(kControl)) return plan_control_unit(u, std::move(operands));
    if (work.elementwise.empty()) {
      operands.push_back({work.op, -1});
      return add_step(backend().plan(request(work.op)), std::move(operands));
    }
    Chain chain = chain_of(u, work.op);
    // The contraction is written where the chain's first output of its size goes, else to a value of its own.
    Ref product{-1, -1};
    for (std::size_t i = 0; i < chain.outputs.size() && product.root < 0; ++i) {
      const TensorType& type = graph_.type(chain.outputs[i].root);
      if (homes_[at(chain.outputs[i].root)].home != Home::kArena || size_of(type.dtype) != size_of(graph_.type(work.op).dtype)) continue;
      product = chain.outputs[i];
      chain.spec.in_place[i] = 0;
    }
    if (product.root < 0) product = {-1, new_value(byte_size(graph_.type(work.op)))};
    operands.push_back(product);
    operands.insert(operands.end(), chain.inputs.begin() + 1, chain.inputs.end());
    operands.insert(operands.end(), chain.outputs.begin(), chain.outputs.end());
    add_step(backend().plan(request(work.op), &chain.spec), std::move(operands));
  }

  // A control node writes its items that somebody reads, in their order; the others are null. The frames of its bodies follow.
  void plan_control_unit(int u, std::vector<Ref> operands) {
    const NodeId control = unit(u).op;
    const std::size_t first = operands.size();
    operands.resize(first + item_types(graph_[control]).size());
    for (NodeId id = control + 1; id < graph_.size(); ++id)
      if (graph_[id].op->is(kProjection) && unit_of(id) == u) operands[first + item_index(graph_[id])] = {id, -1};
    ControlStep control_step = plan_control(backend(), graph_[control], fuse_);
    for (Plan::Body& body : control_step.bodies) {  // placed in the step's scratch, see place()
      operands.push_back({-1, -1, static_cast<int>(plan_->bodies_.size())});
      plan_->bodies_.push_back(std::move(body));
    }
    add_step(std::move(control_step.step), std::move(operands));
  }

  struct Chain {
    ElementwiseSpec spec;
    std::vector<Ref> inputs, outputs;
  };

  // The unit's elementwise nodes as a spec. `product` is the contraction that they are the epilogue of, or -1.
  Chain chain_of(int u, NodeId product) {
    const std::vector<NodeId>& members = unit(u).elementwise;
    const Shape space = graph_.type(members[0]).shape;
    const int columns = product < 0 ? -1 : axis_of_columns(space, contraction_of(graph_, product)->columns);
    const auto seen = [&](const Shape& operand, const Shape& consumer) {
      return product < 0 ? squeezed_with(operand, consumer) : *joined_columns(operand, consumer, columns);
    };
    Chain chain;
    ElementwiseSpec& spec = chain.spec;
    spec.shape = seen(space, space);
    std::map<NodeId, int> instruction_of;
    std::map<std::pair<NodeId, std::vector<std::int64_t>>, int> input_of;
    if (product >= 0) add_input(chain, input_of, product, {graph_.type(product).dtype, spec.shape});
    for (NodeId id : members)  // inputs first: they are numbered before the instructions
      for (NodeId input : graph_[id].inputs)
        if (const NodeId r = root(input); unit_of(r) != u || r == product || !is_member(members, r))
          add_input(chain, input_of, r, {graph_.type(r).dtype, seen(graph_.type(input).shape, graph_.type(id).shape)});
    const int inputs = static_cast<int>(spec.inputs.size());
    for (NodeId id : members) {
      const Node& node = graph_[id];
      ElementwiseSpec::Instruction ins{op_of(*node.op), {}, node.type.dtype, {-1, -1, -1}};
      ins.in = graph_.type(node.inputs[node.inputs.size() == 3 ? 1 : 0]).dtype;
      for (std::size_t k = 0; k < node.inputs.size(); ++k) {
        const NodeId r = root(node.inputs[k]);
        const auto it = instruction_of.find(r);
        if (it != instruction_of.end()) ins.args[k] = inputs + it->second;
        else ins.args[k] = input_of.at({r, seen(graph_.type(node.inputs[k]).shape, node.type.shape).to_vector()});
      }
      instruction_of[id] = static_cast<int>(spec.code.size());
      spec.code.push_back(ins);
      if (homes_[at(id)].home == Home::kNone) continue;
      spec.outputs.push_back(instruction_of[id]);
      spec.in_place.push_back(overwritten_input(chain, id));
      chain.outputs.push_back({id, -1});
    }
    return chain;
  }

  static bool is_member(const std::vector<NodeId>& members, NodeId id) {
    return std::binary_search(members.begin(), members.end(), id);  // members are in increasing order
  }

  void add_input(Chain& chain, std::map<std::pair<NodeId, std::vector<std::int64_t>>, int>& input_of, NodeId id, TensorType type) {
    const auto [it, fresh] = input_of.emplace(std::make_pair(id, type.shape.to_vector()), static_cast<int>(chain.inputs.size()));
    if (!fresh) return;
    chain.inputs.push_back({id, -1});
    chain.spec.inputs.push_back(std::move(type));
  }

  int overwritten_input(const Chain& chain, NodeId id) const {
    if (homes_[at(id)].home != Home::kVariable) return -1;
    for (std::size_t i = 0; i < chain.inputs.size(); ++i) {
      const Residence& place = homes_[at(chain.inputs[i].root)];
      if (place.home == Home::kVariable && place.variable == homes_[at(id)].variable) return static_cast<int>(i);
    }
    return -1;
  }

  // Chains of one level and phase with the same code become one step: the update of all variables is one pass.
  void plan_chain(int u) {
    if (!merged_.empty() && merge_key(u) != merged_key_) flush_merged();
    merged_key_ = merge_key(u);
    Chain chain = chain_of(u, -1);
    for (std::vector<Chain>& group : merged_) {
      if (!backend().can_merge(group[0].spec, chain.spec)) continue;
      group.push_back(std::move(chain));
      return;
    }
    merged_.emplace_back();
    merged_.back().push_back(std::move(chain));
  }

  void flush_merged() {
    for (const std::vector<Chain>& group : merged_) {
      std::vector<ElementwiseSpec> specs;
      std::vector<Ref> operands;
      for (const Chain& chain : group) {
        specs.push_back(chain.spec);
        operands.insert(operands.end(), chain.inputs.begin(), chain.inputs.end());
        operands.insert(operands.end(), chain.outputs.begin(), chain.outputs.end());
      }
      add_step(backend().plan_elementwise(specs, max_threads()), std::move(operands));
    }
    merged_.clear();
  }

  void finish_commit() {
    flush_merged();
    if (!commit_started_) {
      commit_started_ = true;
      plan_->commit_begin_ = plan_->steps_.size();
    }
    for (NodeId id : late_stores_) {
      const int value = new_value(0);  // stands for the variable: see operand_of()
      late_targets_[value] = graph_[id].variable.get();
      add_step(copy_step(graph_.type(id)), {read_later(root(graph_[id].inputs[0])), {-1, value}});
    }
    readout_started_ = true;
    plan_->readout_begin_ = plan_->steps_.size();
  }

  Plan::Operand variable_operand(VariableStorage* variable) const { return {Plan::Place::kVariable, variable_index_.at(variable), 0}; }

  Plan::Operand operand_of(const Ref& operand, const MemoryPlan& memory) const {
    if (operand.is_null()) return {};
    if (operand.body >= 0) return {Plan::Place::kBody, static_cast<std::uint32_t>(operand.body), 0};
    if (operand.value >= 0) {
      const auto it = late_targets_.find(operand.value);
      if (it != late_targets_.end()) return variable_operand(it->second);
      return {Plan::Place::kArena, 0, memory.offsets[static_cast<std::size_t>(operand.value)]};
    }
    const Residence& place = homes_[at(operand.root)];
    switch (place.home) {
      case Home::kArena: return {Plan::Place::kArena, 0, memory.offsets[static_cast<std::size_t>(place.value)]};
      case Home::kVariable: return variable_operand(place.variable);
      case Home::kConstant: return {Plan::Place::kConstant, constant_index_.at(operand.root), 0};
      case Home::kNone: break;
    }
    fail(ErrorKind::kRuntime, "Node ", operand.root, " has no home.");
  }

  // What lies outside of the arena, numbered.
  void list_variables_and_constants() {
    const bool on_host = &backend().memory() == &host_memory();
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const Node& node = graph_[id];
      if (node.variable && variable_index_.emplace(node.variable.get(), plan_->variables_.size()).second)
        plan_->variables_.push_back(node.variable);
      if (!node.data) continue;
      constant_index_.emplace(id, plan_->constants_.size());
      Plan::Constant constant{node.data, {}};
      if (!on_host) {
        constant.copy = Buffer(backend().memory(), node.data->size());
        backend().memory().write(constant.copy.data(), node.data->data(), node.data->size());
      }
      plan_->constants_.push_back(std::move(constant));
    }
  }

  void place() {
    const int end = static_cast<int>(plan_->steps_.size());
    for (NodeId id : outputs_) {
      const Ref operand = read_later(root(id));
      if (const int value = value_of(operand); value >= 0) use(value, end);
    }
    for (Lifetime& life : lifetimes_)
      if (life.last < 0 && life.first > end) life = {life.bytes, end, end};  // never read
    // Outputs may be read out more than once: what the readout takes from before must survive it.
    const int readout = static_cast<int>(plan_->readout_begin_);
    for (Lifetime& life : lifetimes_)
      if (life.first < readout && life.last >= readout) life.last = end;
    const MemoryPlan memory = plan_memory(lifetimes_);
    std::size_t scratch = 0;
    for (const Step& step : plan_->steps_) scratch = std::max(scratch, step.scratch_bytes);
    plan_->scratch_offset_ = memory.total;
    plan_->arena_bytes_ = memory.total + static_cast<std::int64_t>(scratch) + 64;
    for (Plan::Body& body : plan_->bodies_) body.offset += memory.total;
    list_variables_and_constants();
    for (NodeId id : graph_.inputs()) plan_->inputs_.push_back({graph_.type(id), operand_of({id}, memory), {}, {}});
    for (NodeId id : outputs_) plan_->outputs_.push_back({graph_.type(id), operand_of(read_later(root(id)), memory), {}, {}});
    const std::map<NodeId, Plan::Operand> bound = bindable();
    for (const std::vector<Ref>& operands : operands_) {
      plan_->first_operand_.push_back(static_cast<std::uint32_t>(plan_->operands_.size()));
      for (const Ref& operand : operands) add_operand(operand, bound, memory);
    }
    plan_->first_operand_.push_back(static_cast<std::uint32_t>(plan_->operands_.size()));
  }

  // The values that a caller may have elsewhere than in the arena: inputs, and outputs that are computed and wanted once.
  std::map<NodeId, Plan::Operand> bindable() {
    std::map<NodeId, Plan::Operand> bound;
    for (std::size_t i = 0; i < graph_.inputs().size(); ++i)
      bound[graph_.inputs()[i]] = {Plan::Place::kInput, static_cast<std::uint32_t>(i), 0};
    std::map<NodeId, int> uses;
    for (NodeId id : outputs_) ++uses[root(id)];
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      const NodeId r = root(outputs_[k]);
      const auto it = bound.find(r);
      if (it != bound.end() && it->second.place == Plan::Place::kInput) plan_->inputs_[it->second.index].outputs.push_back(static_cast<std::uint32_t>(k));
      else if (uses[r] == 1 && homes_[at(r)].home == Home::kArena) bound[r] = {Plan::Place::kOutput, static_cast<std::uint32_t>(k), 0};
    }
    return bound;
  }

  void add_operand(const Ref& operand, const std::map<NodeId, Plan::Operand>& bound, const MemoryPlan& memory) {
    const auto number = static_cast<std::uint32_t>(plan_->operands_.size());
    const auto it = operand.value < 0 && operand.body < 0 ? bound.find(operand.root) : bound.end();
    plan_->operands_.push_back(it != bound.end() ? it->second : operand_of(operand, memory));
    if (it == bound.end()) return;
    std::vector<Plan::Value>& values = it->second.place == Plan::Place::kInput ? plan_->inputs_ : plan_->outputs_;
    values[it->second.index].uses.push_back(number);
  }

  std::unique_ptr<Plan> plan_;
  const Graph& graph_;
  const bool fuse_;
  const std::vector<NodeId>& outputs_;
  const Schedule schedule_;
  std::vector<Residence> homes_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> escapes_;
  std::map<VariableStorage*, std::vector<NodeId>> leaves_of_;  // the nodes that read each variable
  std::map<VariableStorage*, NodeId> store_of_;                // the last store to each variable
  std::vector<NodeId> late_stores_;
  std::map<int, VariableStorage*> late_targets_;
  std::map<VariableStorage*, std::uint32_t> variable_index_;
  std::map<NodeId, std::uint32_t> constant_index_;
  std::map<NodeId, int> snapshots_;
  std::vector<Lifetime> lifetimes_;
  std::vector<std::vector<Ref>> operands_;
  std::vector<std::vector<Chain>> merged_;
  Key merged_key_;
  bool commit_started_ = false, readout_started_ = false;
};

PlanPtr make_plan(Backend& backend, const Graph& graph, const std::vector<NodeId>& outputs, bool fuse, std::string name) {
  for (NodeId id : outputs) graph.check_id(id);
  const Profiles profiles = active_profiles();
  const std::int64_t begin = profiles.empty() ? 0 : profile_clock();
  PlanPtr plan;
  if (fuse) {
    const Simplified simpler = simplify(graph, outputs);
    plan = PlanBuilder(backend, std::move(name), simpler.graph, simpler.outputs, true).build();
  } else {
    plan = PlanBuilder(backend, std::move(name), graph, outputs, false).build();
  }
  for (const ProfilePtr& profile : profiles) profile->add_around(*plan, Around::kPlan, begin, profile_clock(), 0);
  return plan;
}

}  // namespace ranvier
