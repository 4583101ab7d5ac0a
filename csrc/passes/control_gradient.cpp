#include "passes/control_gradient.h"

#include <utility>

#include "ops/control.h"
#include "passes/autodiff.h"

namespace ranvier {
namespace {

bool is_wanted(const std::vector<bool>& wanted, NodeId id) { return wanted[static_cast<std::size_t>(id)]; }

// `type` is a copy: it may be that of a node, and adding nodes may move those.
NodeId zeros(Graph& graph, TensorType type) {
  Builder b(graph);
  return b.broadcast_to(b.scalar(type.dtype, 0.0), type.shape);
}

// A body under construction: the inputs are added one by one, then those of a given body are its function's.
struct Derivative {
  Graph graph;
  std::vector<NodeId> inputs;

  NodeId input(const TensorType& type) {
    inputs.push_back(graph.add_input(def_input, type));
    return inputs.back();
  }
};

// Keeps the members of a list, by position.
template <class Keep>
void keep_if(std::vector<std::size_t>& list, Keep&& keep) {
  std::vector<std::size_t> kept;
  for (std::size_t k = 0; k < list.size(); ++k)
    if (keep(k)) kept.push_back(list[k]);
  list = std::move(kept);
}

// --- branch ---

// (operands, gradients of the outputs at `of`) -> gradients of the operands at `by`, or -1 where there is no path.
struct BranchDerivative : Derivative {
  std::vector<NodeId> xs, found;

  BranchDerivative(const Body& body, const std::vector<std::size_t>& of, const std::vector<std::size_t>& by) {
    for (std::size_t i = 0; i < body.graph.inputs().size(); ++i) input(body.input(i));
    const std::vector<NodeId> outputs = inline_body(graph, body, inputs);
    std::vector<NodeId> ys, seeds;
    for (std::size_t i : by) xs.push_back(inputs[i]);
    for (std::size_t i : of) {
      seeds.push_back(input(body.output(i)));
      ys.push_back(outputs[i]);
    }
    found = gradients(graph, ys, xs, seeds);
  }

  // Of the operands for which some branch has a path; zeros in the others.
  BodyPtr body(const std::vector<bool>& has_path) {
    std::vector<NodeId> results;
    for (std::size_t k = 0; k < xs.size(); ++k)
      if (has_path[k]) results.push_back(found[k] >= 0 ? found[k] : zeros(graph, graph.type(xs[k])));
    return make_body(graph, inputs, results);
  }
};

std::vector<NodeId> branch_gradient(Graph& graph, const Node& node, const std::vector<NodeId>& item_gradients, const std::vector<bool>& wanted) {
  std::vector<std::size_t> of, by;
  std::vector<NodeId> inputs = node.inputs;
  for (std::size_t i = 0; i < item_gradients.size(); ++i) {
    if (item_gradients[i] < 0) continue;
    of.push_back(i);
    inputs.push_back(item_gradients[i]);
  }
  for (std::size_t i = 1; i < node.inputs.size(); ++i)
    if (is_wanted(wanted, node.inputs[i])) by.push_back(i - 1);
  std::vector<BranchDerivative> derivatives;
  std::vector<bool> has_path(by.size(), false);
  for (const BodyPtr& body : branch_bodies(node)) {
    derivatives.emplace_back(*body, of, by);
    for (std::size_t k = 0; k < by.size(); ++k) has_path[k] = has_path[k] || derivatives.back().found[k] >= 0;
  }
  keep_if(by, [&](std::size_t k) { return has_path[k]; });
  if (by.empty()) return std::vector<NodeId>(node.inputs.size(), -1);
  std::vector<BodyPtr> bodies;
  for (BranchDerivative& derivative : derivatives) bodies.push_back(derivative.body(has_path));
  const NodeId backward = add_branch(graph, std::move(inputs), bodies);
  std::vector<NodeId> result(node.inputs.size(), -1);
  for (std::size_t k = 0; k < by.size(); ++k) result[by[k] + 1] = add_item(graph, backward, k);
  return result;
}

// --- loop ---

// The derivative of a loop carries the gradients of the carries, and sums those of the invariants up; it scans what
// the iterations began with, their slices, and the gradients of what they stacked. Carries, invariants and slices that
// no gradient reaches have none: zeros in their place would become NaN where a derivative is infinite.
class LoopGradient {
 public:
  LoopGradient(Graph& graph, NodeId id, const std::vector<NodeId>& item_gradients, const std::vector<bool>& wanted)
      : graph_(graph), id_(id), node_(graph[id]), parts_(loop_parts(node_)), given_(item_gradients) {
    for (std::size_t i = 0; i < parts_.invariants; ++i)
      if (is_wanted(wanted, node_.inputs[i])) summed_.push_back(i);
    for (std::size_t c = 0; c < parts_.carries; ++c)
      if (given_[c] >= 0) carried_.push_back(c);
    for (std::size_t s = 0; s < parts_.scanned; ++s)
      if (is_wanted(wanted, node_.inputs[first_scanned() + s])) sliced_.push_back(s);
    for (std::size_t y = 0; y < parts_.stacked; ++y)
      if (given_[parts_.carries + y] >= 0) stacked_.push_back(y);
    // A gradient of the histories (of a derivative of a derivative) comes in with each iteration, like the stacked ones.
    for (std::size_t c = 0; c < parts_.carries; ++c)
      if (given_[parts_.carries + parts_.stacked + c] >= 0) remembered_.push_back(c);
  }

  std::vector<NodeId> run() {
    BodyPtr body;
    while (!body) body = derivative();
    std::vector<NodeId> result(node_.inputs.size(), -1);
    if (carried_.empty() && summed_.empty() && sliced_.empty()) return result;
    std::vector<NodeId> inputs = inputs_of(*body);
    const NodeId backward = add_loop(graph_, std::move(inputs), body_, parts_.length, !parts_.reverse, invariants_, carried_.size() + summed_.size());
    std::size_t item = 0;
    for (std::size_t c : carried_) result[parts_.invariants + c] = add_item(graph_, backward, item++);
    for (std::size_t i : summed_) result[i] = add_item(graph_, backward, item++);
    for (std::size_t s : sliced_) result[first_scanned() + s] = add_item(graph_, backward, item++);
    return result;
  }

 private:
  std::size_t first_scanned() const { return parts_.invariants + parts_.carries; }

  // Inputs: invariants | gradients of carries, sums | what an iteration began with, slices, gradients of its outputs.
  // Null if more carries have a gradient than are known to, or fewer other inputs; then it is to be tried again.
  BodyPtr derivative() {
    const Body& body = parts_.body;
    Derivative d;
    std::vector<NodeId> forward;
    for (std::size_t i = 0; i < parts_.invariants; ++i) forward.push_back(d.input(body.input(i)));
    std::vector<NodeId> seeds, sums, ys;
    for (std::size_t c : carried_) seeds.push_back(d.input(body.output(c)));
    for (std::size_t i : summed_) sums.push_back(d.input(body.input(i)));
    for (std::size_t i = parts_.invariants; i < body.graph.inputs().size(); ++i) forward.push_back(d.input(body.input(i)));
    const std::vector<NodeId> outputs = inline_body(d.graph, body, forward);
    for (std::size_t c : carried_) ys.push_back(outputs[c]);
    for (std::size_t y : stacked_) {
      seeds.push_back(d.input(body.output(parts_.carries + y)));
      ys.push_back(outputs[parts_.carries + y]);
    }
    for (std::size_t c : remembered_) {
      seeds.push_back(d.input(body.output(c)));
      ys.push_back(forward[parts_.invariants + c]);
    }
    std::vector<NodeId> xs;
    for (std::size_t c = 0; c < parts_.carries; ++c) xs.push_back(forward[parts_.invariants + c]);
    for (std::size_t i : summed_) xs.push_back(forward[i]);
    for (std::size_t s : sliced_) xs.push_back(forward[first_scanned() + s]);
    const std::vector<NodeId> found = gradients(d.graph, ys, xs, seeds);
    if (is_other(found)) return nullptr;
    std::vector<NodeId> results;
    for (std::size_t c : carried_) results.push_back(found[c] >= 0 ? found[c] : zeros(d.graph, parts_.body.output(c)));
    Builder b(d.graph);
    for (std::size_t k = 0; k < summed_.size(); ++k) results.push_back(b.add(sums[k], found[parts_.carries + k]));
    for (std::size_t k = 0; k < sliced_.size(); ++k) results.push_back(found[parts_.carries + summed_.size() + k]);
    return make_body(d.graph, d.inputs, results);
  }

  // Whether gradients (of all carries, summed_, sliced_) are others than was thought; corrects what was thought.
  bool is_other(const std::vector<NodeId>& found) {
    const auto has = [&](std::size_t k) { return found[k] >= 0; };
    std::vector<std::size_t> carried;
    for (std::size_t c = 0; c < parts_.carries; ++c)
      if ((has(c) && is_float(parts_.body.output(c).dtype)) || given_[c] >= 0) carried.push_back(c);
    if (carried.size() > carried_.size()) {
      carried_ = std::move(carried);
      return true;
    }
    const std::size_t before = summed_.size(), all = before + sliced_.size();
    keep_if(summed_, [&](std::size_t k) { return has(parts_.carries + k); });
    keep_if(sliced_, [&](std::size_t k) { return has(parts_.carries + before + k); });
    return summed_.size() + sliced_.size() < all;
  }

  // The loop's inputs, without those that the derivative does not need (a history costs memory): sets body_ and
  // invariants_ to what is left.
  std::vector<NodeId> inputs_of(const Body& body) {
    const std::vector<bool> needed = needed_inputs(body);
    const std::size_t carries = carried_.size() + summed_.size();
    std::vector<NodeId> inputs;
    std::vector<std::size_t> kept;
    std::size_t position = 0;
    const auto add = [&](bool always, auto&& make) {
      if (always || needed[position]) {
        kept.push_back(position);
        inputs.push_back(make());
      }
      ++position;
    };
    for (std::size_t i = 0; i < parts_.invariants; ++i) add(false, [&] { return node_.inputs[i]; });
    invariants_ = inputs.size();
    for (std::size_t c : carried_)
      add(true, [&] { return given_[c] >= 0 ? given_[c] : zeros(graph_, parts_.body.output(c)); });
    for (std::size_t i : summed_) add(true, [&] { return zeros(graph_, parts_.body.input(i)); });
    for (std::size_t c = 0; c < parts_.carries; ++c)
      add(false, [&] { return add_item(graph_, id_, parts_.carries + parts_.stacked + c); });
    for (std::size_t s = 0; s < parts_.scanned; ++s) add(false, [&] { return node_.inputs[first_scanned() + s]; });
    for (std::size_t y : stacked_) add(false, [&] { return given_[parts_.carries + y]; });
    for (std::size_t c : remembered_) add(false, [&] { return given_[parts_.carries + parts_.stacked + c]; });
    require(inputs.size() >= carries, "loop: a derivative lost its carries.");
    body_ = with_inputs(body, kept);
    return inputs;
  }

  Graph& graph_;
  const NodeId id_;
  const Node node_;  // a copy: adding nodes may move the graph's own
  const LoopParts parts_;
  const std::vector<NodeId>& given_;
  std::vector<std::size_t> summed_, carried_, sliced_, stacked_, remembered_;
  BodyPtr body_;
  std::size_t invariants_ = 0;
};

}  // namespace

std::vector<NodeId> control_gradient(Graph& graph, NodeId id, const std::vector<NodeId>& item_gradients, const std::vector<bool>& wanted) {
  const Node node = graph[id];
  if (node.op == &def_branch) return branch_gradient(graph, node, item_gradients, wanted);
  if (node.op == &def_loop) return LoopGradient(graph, id, item_gradients, wanted).run();
  fail(ErrorKind::kValue, "ops.while_loop, and ops.fori_loop with bounds that are tensors, have no gradient: how often they run is not known "
       "before. Use ops.scan or ops.fori_loop with numbers as bounds, or ops.stop_gradient.");
}

}  // namespace ranvier
