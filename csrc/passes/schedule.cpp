#include "passes/schedule.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "ops/ops.h"

namespace ranvier {

NodeId root_of(const Graph& graph, NodeId id) {
  while (graph[id].op->is(kAlias)) id = graph[id].inputs[0];
  return id;
}

Shape squeezed(const Shape& shape) {
  Shape result;
  for (std::int64_t dim : shape)
    if (dim != 1) result.push_back(dim);
  return result;
}

int axis_of_columns(const Shape& shape, std::int64_t columns) {
  int axis = shape.rank() - 1;
  if (axis < 0) return -1;
  std::int64_t size = shape[axis];
  while (axis > 0 && size < columns) size *= shape[--axis];
  return size == columns ? axis : -1;
}

std::optional<Shape> joined_columns(const Shape& operand, const Shape& shape, int axis) {
  const int missing = shape.rank() - operand.rank();
  const auto extent = [&](int i) { return i < missing ? 1 : operand[i - missing]; };
  Shape result;
  for (int i = 0; i < axis; ++i) result.push_back(extent(i));
  std::int64_t columns = 1;
  bool full = true, single = true;
  for (int i = axis; i < shape.rank(); ++i) {
    columns *= shape[i];
    full = full && extent(i) == shape[i];
    single = single && extent(i) == 1;
  }
  if (!full && !single) return std::nullopt;
  result.push_back(full ? columns : 1);
  return result;
}

std::optional<Contraction> contraction_of(const Graph& graph, NodeId id) {
  const Node& node = graph[id];
  if (!node.op->contraction) return std::nullopt;
  InferArgs args{node.op->name, {}, node.attributes};
  for (NodeId input : node.inputs) args.inputs.push_back(graph.type(input));
  return node.op->contraction(args, node.type);
}

namespace {

constexpr std::size_t kLongestChain = 96;     // instructions of a unit: bounds its registers
constexpr std::size_t kFollowed = 16;         // nodes of a chain that newly_held follows
constexpr std::int64_t kJoinedElements = 64;  // unrelated chains over spaces this small share a unit

class Scheduler {
 public:
  Scheduler(const Graph& graph, const std::vector<NodeId>& outputs, bool fuse, const TakesEpilogue& takes_epilogue)
      : graph_(graph), outputs_(outputs), fuse_(fuse), takes_epilogue_(takes_epilogue), n_(static_cast<std::size_t>(graph.size())) {}

  Schedule run() {
    mark_live();
    choose_phases();
    find_consumers();
    assign_levels();
    sink();
    return order(attach_epilogues(group()));
  }

 private:
  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }
  bool computed(NodeId id) const {
    const OpDef& op = *graph_[id].op;
    return live_[at(id)] && !op.is(kLeaf) && !op.is(kAlias) && !op.is(kEffect);
  }
  bool elementwise(NodeId id) const { return graph_[id].op->is(kElementwise); }

  void mark(std::vector<bool>& seen, NodeId from) const {
    std::vector<NodeId> stack{from};
    while (!stack.empty()) {
      const NodeId id = stack.back();
      stack.pop_back();
      if (seen[at(id)]) continue;
      seen[at(id)] = true;
      for (NodeId input : graph_[id].inputs) stack.push_back(input);
    }
  }

  void mark_live() {
    live_.assign(n_, false);
    for (NodeId id : outputs_) mark(live_, id);
    for (NodeId id : graph_.stores()) mark(live_, id);
  }

  // Readout: live but not needed by a store, unless it reads the old value of a variable that is overwritten.
  void choose_phases() {
    phase_.assign(n_, Phase::kMain);
    if (graph_.stores().empty()) return;
    std::vector<bool> needed(n_, false);
    for (NodeId id : graph_.stores()) mark(needed, id);
    std::vector<const VariableStorage*> written;
    for (NodeId id : graph_.stores()) written.push_back(graph_[id].variable.get());
    std::sort(written.begin(), written.end());
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!live_[at(id)] || needed[at(id)]) continue;
      if (graph_[id].op->is(kFallible)) mark(needed, id);
      for (NodeId input : graph_[id].inputs) {
        const Node& root = graph_[root_of(graph_, input)];
        if (root.op == &def_variable && std::binary_search(written.begin(), written.end(), root.variable.get())) mark(needed, id);
      }
    }
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (live_[at(id)] && !needed[at(id)]) phase_[at(id)] = Phase::kReadout;
  }

  // consumers_[root]: the computed nodes and stores that read it, through aliases.
  void find_consumers() {
    consumers_.assign(n_, {});
    wanted_.assign(n_, false);
    for (NodeId id : outputs_) wanted_[at(root_of(graph_, id))] = true;
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!live_[at(id)] || graph_[id].op->is(kAlias)) continue;
      for (NodeId input : graph_[id].inputs) consumers_[at(root_of(graph_, input))].push_back(id);
    }
    space_.resize(n_);
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (computed(id)) space_[at(id)] = squeezed(graph_.type(id).shape);
  }

  // 0 when `id` may read the input inside a common unit, else 1.
  int weight(NodeId root, NodeId input, NodeId id) const {
    const bool joins = fuse_ && computed(root) && elementwise(root) && elementwise(id) && space_[at(root)] == space_[at(id)] &&
                       squeezed(graph_.type(input).shape) == space_[at(id)];
    return joins ? 0 : 1;
  }
  int weight_to(NodeId root, NodeId consumer) const {
    int result = 0;
    for (NodeId input : graph_[consumer].inputs)
      if (root_of(graph_, input) == root) result = std::max(result, weight(root, input, consumer));
    return result;
  }

  void assign_levels() {
    level_.assign(n_, 0);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!computed(id)) continue;
      for (NodeId input : graph_[id].inputs) {
        const NodeId root = root_of(graph_, input);
        if (computed(root)) level_[at(id)] = std::max(level_[at(id)], level_[at(root)] + weight(root, input, id));
      }
      last_level_ = std::max(last_level_, level_[at(id)]);
    }
    ++last_level_;
  }

  // In reverse order: moves elementwise nodes to their consumers' level, and into the commit phase when nothing in the
  // main phase wants them.
  void sink() {
    for (NodeId id = graph_.size() - 1; id >= 0; --id) {
      if (!computed(id) || phase_[at(id)] != Phase::kMain) continue;
      if (!elementwise(id)) {
        sink_contraction(id);
        continue;
      }
      bool commits = !consumers_[at(id)].empty() && !graph_.stores().empty();
      int target = last_level_;
      for (NodeId c : consumers_[at(id)]) {
        const bool is_store = graph_[c].op->is(kEffect);
        // What a contraction of the commit phase reads stays: else the whole step would follow, node by node.
        if (!is_store && (phase_[at(c)] == Phase::kMain || !elementwise(c))) commits = false;
        if (!is_store && phase_[at(c)] != Phase::kReadout) target = std::min(target, level_[at(c)] - weight_to(id, c));
      }
      if (wanted_[at(id)] && graph_.stores().empty()) continue;
      if (target <= level_[at(id)] && !commits) continue;
      if (!commits && newly_held(id, target) > 1) continue;
      level_[at(id)] = std::max(level_[at(id)], target);
      if (commits) phase_[at(id)] = Phase::kCommit;
    }
  }

  // The columns of a contraction whose blocks an epilogue may take; none for anything else.
  std::optional<std::int64_t> columns_for_epilogue(NodeId id) const {
    if (!fuse_ || wanted_[at(id)] || consumers_[at(id)].empty()) return std::nullopt;
    const std::optional<Contraction> matrix = contraction_of(graph_, id);
    if (!matrix || !takes_epilogue_(id)) return std::nullopt;
    return matrix->columns;
  }

  // A contraction that only updates of variables read is computed in the commit phase, right before them, so that the
  // update can be its epilogue: the gradient is used while it is in cache.
  void sink_contraction(NodeId id) {
    const std::optional<std::int64_t> columns = columns_for_epilogue(id);
    if (!columns) return;
    int first = last_level_;
    for (NodeId c : consumers_[at(id)]) {
      if (graph_[c].op->is(kEffect) || phase_[at(c)] != Phase::kCommit) return;
      if (!elementwise(c) || first_column_axis(c, id, *columns) < 0) return;
      first = std::min(first, level_[at(c)]);
    }
    phase_[at(id)] = Phase::kCommit;
    level_[at(id)] = first - 1;
  }

  // How many stored values would live longer if `id`, and the chain that feeds only it, moved to `target`. The chain
  // is followed for a few nodes; what it reads in the end is what must be kept.
  int newly_held(NodeId id, int target) const {
    std::vector<NodeId> chain{id};
    int count = 0;
    for (std::size_t next = 0; next < chain.size(); ++next) {
      for (NodeId input : graph_[chain[next]].inputs) {
        const NodeId root = root_of(graph_, input);
        if (!computed(root) || std::find(chain.begin(), chain.end(), root) != chain.end()) continue;
        if (held_until(root, target, chain) || graph_.type(root).shape.size() * 4 < graph_.type(id).shape.size()) continue;
        if (weight(root, input, chain[next]) == 0 && chain.size() < kFollowed) chain.push_back(root);
        else ++count;
      }
    }
    return count;
  }

  bool held_until(NodeId root, int target, const std::vector<NodeId>& except) const {
    if (wanted_[at(root)]) return true;
    for (NodeId c : consumers_[at(root)]) {
      if (graph_[c].op->is(kEffect) || std::find(except.begin(), except.end(), c) != except.end()) continue;
      if (phase_[at(c)] != Phase::kMain || level_[at(c)] >= target) return true;
    }
    return false;
  }

  NodeId find(std::vector<NodeId>& parent, NodeId id) const {
    while (parent[at(id)] != id) id = parent[at(id)] = parent[at(parent[at(id)])];
    return id;
  }

  std::vector<Unit> group() {
    std::vector<NodeId> parent(n_);
    std::iota(parent.begin(), parent.end(), 0);
    std::map<std::tuple<int, int, std::int64_t>, NodeId> small;  // (phase, level, elements) -> a member
    for (NodeId id = 0; id < graph_.size() && fuse_; ++id) {
      if (!computed(id) || !elementwise(id)) continue;
      for (NodeId input : graph_[id].inputs) {
        const NodeId root = root_of(graph_, input);
        const bool together = computed(root) && weight(root, input, id) == 0 && level_[at(root)] == level_[at(id)] && phase_[at(root)] == phase_[at(id)];
        if (together) parent[at(find(parent, root))] = find(parent, id);
      }
      if (space_[at(id)].rank() <= 1 && space_[at(id)].size() <= kJoinedElements) {
        const auto key = std::make_tuple(static_cast<int>(phase_[at(id)]), level_[at(id)], space_[at(id)].size());
        const auto [it, fresh] = small.emplace(key, id);
        if (!fresh) parent[at(find(parent, it->second))] = find(parent, id);
      }
    }
    std::vector<Unit> units;
    std::vector<int> open(n_, -1);  // by representative: the unit that takes the next member
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!computed(id) || graph_[id].op->is(kProjection)) continue;
      int* slot = &open[at(elementwise(id) ? find(parent, id) : id)];
      const bool full = *slot >= 0 && units[static_cast<std::size_t>(*slot)].elementwise.size() >= kLongestChain;
      if (*slot < 0 || full) {
        const int piece = full ? units[static_cast<std::size_t>(*slot)].piece + 1 : 0;
        *slot = static_cast<int>(units.size());
        units.push_back({elementwise(id) ? -1 : id, {}, phase_[at(id)], level_[at(id)], piece});
      }
      if (elementwise(id)) units[static_cast<std::size_t>(*slot)].elementwise.push_back(id);
    }
    return units;
  }

  // The axis from which on `id` has the columns of a contraction with as many elements, or -1.
  int first_column_axis(NodeId id, NodeId contraction, std::int64_t columns) const {
    const Shape& shape = graph_.type(id).shape;
    return shape.size() == graph_.type(contraction).shape.size() ? axis_of_columns(shape, columns) : -1;
  }

  // Whether a chain can be computed by rows and columns of the contraction that it reads, maybe under another shape.
  bool fits_epilogue(const std::vector<NodeId>& chain, NodeId contraction, std::int64_t columns) const {
    const Shape& shape = graph_.type(chain[0]).shape;
    const int axis = first_column_axis(chain[0], contraction, columns);
    if (axis < 0) return false;
    for (NodeId id : chain) {
      if (graph_.type(id).shape != shape) return false;
      for (NodeId input : graph_[id].inputs)
        if (!joined_columns(graph_.type(input).shape, shape, axis)) return false;
    }
    return true;
  }

  // A contraction read by one chain only, over its own elements, takes the chain as its epilogue.
  std::vector<Unit> attach_epilogues(std::vector<Unit> units) {
    if (!fuse_) return units;
    std::vector<int> unit_of(n_, -1);
    for (std::size_t u = 0; u < units.size(); ++u)
      for (NodeId id : units[u].elementwise) unit_of[at(id)] = static_cast<int>(u);
    std::vector<bool> taken(units.size(), false);
    for (Unit& unit : units) {
      if (unit.op < 0) continue;
      const std::optional<std::int64_t> columns = columns_for_epilogue(unit.op);
      if (!columns) continue;
      const std::vector<NodeId>& consumers = consumers_[at(unit.op)];
      const int chain = unit_of[at(consumers[0])];
      bool fits = chain >= 0 && !taken[static_cast<std::size_t>(chain)];
      for (NodeId c : consumers) fits = fits && unit_of[at(c)] == chain;
      if (!fits) continue;
      Unit& target = units[static_cast<std::size_t>(chain)];
      if (target.phase != unit.phase || !fits_epilogue(target.elementwise, unit.op, *columns)) continue;
      unit.elementwise = std::move(target.elementwise);
      target.elementwise.clear();
      unit.level = target.level;
      unit.piece = target.piece;
      taken[static_cast<std::size_t>(chain)] = true;
    }
    std::erase_if(units, [](const Unit& unit) { return unit.op < 0 && unit.elementwise.empty(); });
    return units;
  }

  Schedule order(std::vector<Unit> units) {
    std::stable_sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) {
      // Chains of one level come together: those with the same code are merged.
      return std::tuple(a.phase, a.level, a.piece, a.op < 0) < std::tuple(b.phase, b.level, b.piece, b.op < 0);
    });
    Schedule schedule{std::move(units), std::vector<int>(n_, -1)};
    for (std::size_t u = 0; u < schedule.units.size(); ++u) {
      if (schedule.units[u].op >= 0) schedule.unit_of[at(schedule.units[u].op)] = static_cast<int>(u);
      for (NodeId id : schedule.units[u].elementwise) schedule.unit_of[at(id)] = static_cast<int>(u);
    }
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (live_[at(id)] && graph_[id].op->is(kProjection)) schedule.unit_of[at(id)] = schedule.unit_of[at(graph_[id].inputs[0])];
    return schedule;
  }

  const Graph& graph_;
  const std::vector<NodeId>& outputs_;
  const bool fuse_;
  const TakesEpilogue& takes_epilogue_;
  const std::size_t n_;
  std::vector<bool> live_, wanted_;
  std::vector<Phase> phase_;
  std::vector<std::vector<NodeId>> consumers_;
  std::vector<Shape> space_;
  std::vector<int> level_;
  int last_level_ = 0;
};

}  // namespace

Schedule make_schedule(const Graph& graph, const std::vector<NodeId>& outputs, bool fuse, const TakesEpilogue& takes_epilogue) {
  return Scheduler(graph, outputs, fuse, takes_epilogue).run();
}

}  // namespace ranvier
