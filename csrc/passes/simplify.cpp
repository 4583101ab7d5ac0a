#include "passes/simplify.h"

#include <utility>

#include "ops/matmul.h"
#include "ops/ops.h"

namespace ranvier {
namespace {

constexpr int kFollowedTranspositions = 8;  // operations between two of them

class Simplifier {
 public:
  Simplifier(const Graph& from, Graph& to) : from_(from), to_(to), map_(static_cast<std::size_t>(from.size()), -1) {}

  NodeId operator()(NodeId id) const { return map_[static_cast<std::size_t>(id)]; }

  void run(const std::vector<bool>& live) {
    for (NodeId id = 0; id < from_.size(); ++id)
      if (live[static_cast<std::size_t>(id)]) map_[static_cast<std::size_t>(id)] = rewrite(from_[id]);
  }

 private:
  NodeId rewrite(Node node) {
    for (NodeId& input : node.inputs) input = map_[static_cast<std::size_t>(input)];
    if (node.op->is(kLeaf) || node.op->is(kEffect)) return to_.adopt(std::move(node));
    if (node.op->is(kElementwise)) drop_broadcasts(node);
    if (node.op == &def_matmul) fold_transposes(node);
    if (node.op == &def_transpose) {
      fold_transposition(node);
      if (const NodeId same = untransposed(node.inputs[0], node.attributes.get<Ints>("axes"), 0); same >= 0) return same;
      if (moves_nothing(node)) node = reshape_of(node);
    }
    if (reduces_nothing(node)) node = reshape_of(node);
    const NodeId same = replacement(node);
    return same >= 0 ? same : to_.adopt(std::move(node));
  }

  const Node& at(NodeId id) const { return to_[id]; }
  const Shape& shape(NodeId id) const { return to_.type(id).shape; }

  // The transposition of a transposition is one.
  void fold_transposition(Node& node) const {
    const Node& operand = at(node.inputs[0]);
    if (operand.op != &def_transpose) return;
    const Ints &first = operand.attributes.get<Ints>("axes"), second = node.attributes.get<Ints>("axes");
    Ints axes;
    for (std::int64_t axis : second) axes.push_back(first[static_cast<std::size_t>(axis)]);
    node.inputs = {operand.inputs[0]};
    node.attributes = {{"axes", axes}};
  }

  // Whether a transposition leaves the elements where they are: it moves axes of one element only.
  bool moves_nothing(const Node& node) const {
    std::int64_t last = -1;
    for (std::int64_t axis : node.attributes.get<Ints>("axes")) {
      if (shape(node.inputs[0])[static_cast<int>(axis)] == 1) continue;
      if (axis < last) return false;
      last = axis;
    }
    return true;
  }

  // The transposition of `id` by `axes` where it is there without a copy: `id` is the opposite one, or an elementwise
  // operation on such. -1 where it is not.
  NodeId untransposed(NodeId id, const Ints& axes, int depth) {
    if (is_in_order(axes)) return id;
    if (at(id).op == &def_transpose) {
      const Ints& first = at(id).attributes.get<Ints>("axes");
      for (std::size_t i = 0; i < axes.size(); ++i)
        if (first[static_cast<std::size_t>(axes[i])] != static_cast<std::int64_t>(i)) return -1;
      return at(id).inputs[0];
    }
    if (!at(id).op->is(kElementwise) || at(id).op == &def_broadcast_to || depth == kFollowedTranspositions) return -1;
    Node result = at(id);
    bool found = false;
    for (NodeId& input : result.inputs) {
      const bool is_whole = shape(input) == result.type.shape;
      input = is_whole ? untransposed(input, axes, depth + 1) : along_one_axis(input, axes);
      if (input < 0) return -1;
      found = found || is_whole;
    }
    if (!found) return -1;
    result.type.shape = permuted(result.type.shape, axes);
    return to_.adopt(std::move(result));
  }

  // The transposition of an operand that is repeated along all axes but one (a bias), which is another shape of it; else -1.
  NodeId along_one_axis(NodeId id, const Ints& axes) {
    const Shape& given = shape(id);
    if (given.rank() == 0) return id;
    std::vector<std::int64_t> dims(axes.size() - static_cast<std::size_t>(given.rank()), 1);
    int longer = 0;
    for (std::int64_t dim : given) {
      dims.push_back(dim);
      longer += dim != 1;
    }
    if (longer > 1) return -1;
    Node node;
    node.op = &def_reshape;
    node.inputs = {id};
    node.type = {to_.type(id).dtype, permuted(Shape(dims), axes)};
    node.attributes = {{"shape", node.type.shape.to_vector()}};
    return to_.adopt(std::move(node));
  }

  static Shape permuted(const Shape& shape, const Ints& axes) {
    Shape result;
    for (std::int64_t axis : axes) result.push_back(shape[static_cast<int>(axis)]);
    return result;
  }

  static bool is_in_order(const Ints& axes) {
    for (std::size_t i = 0; i < axes.size(); ++i)
      if (axes[i] != static_cast<std::int64_t>(i)) return false;
    return true;
  }

  // An existing node that has this node's value, or -1.
  NodeId replacement(const Node& node) const {
    const auto is = [&](const OpDef& op) { return node.op == &op; };
    const NodeId x = node.inputs[0];
    // Those that matter to autodiff only, which is over, are among the copies.
    if ((node.op->is(kCopy) || is(def_cast) || is(def_reshape)) && to_.type(x) == node.type) return x;
    if (is(def_reshape) && at(x).op == &def_reshape && to_.type(at(x).inputs[0]) == node.type) return at(x).inputs[0];
    if (is(def_neg) && at(x).op == &def_neg) return at(x).inputs[0];
    if (is(def_multiply) && is_one(node.inputs[1]) && to_.type(x) == node.type) return x;
    if (is(def_multiply) && is_one(x) && to_.type(node.inputs[1]) == node.type) return node.inputs[1];
    if (is(def_divide) && is_one(node.inputs[1]) && to_.type(x) == node.type) return x;
    return -1;
  }

  // A reduction over axes of extent 1 (a batch of one row) is its operand under another shape.
  bool reduces_nothing(const Node& node) const {
    return node.op->is(kReduction) && shape(node.inputs[0]).size() == node.type.shape.size() && node.type.shape.size() > 0;
  }
  static Node reshape_of(const Node& node) {
    Node result;
    result.op = &def_reshape;
    result.inputs = node.inputs;
    result.attributes = {{"shape", node.type.shape.to_vector()}};
    result.type = node.type;
    return result;
  }

  // Elementwise operations broadcast by themselves: an operand need not be repeated first, as long as another one
  // still has the full shape.
  void drop_broadcasts(Node& node) const {
    if (node.op == &def_broadcast_to) return;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (at(node.inputs[i]).op != &def_broadcast_to) continue;
      const NodeId source = at(node.inputs[i]).inputs[0];
      Shape rest = shape(source);
      for (std::size_t k = 0; k < node.inputs.size(); ++k)
        if (k != i) rest = broadcast_shapes(node.op->name, rest, shape(node.inputs[k]));
      if (rest == node.type.shape) node.inputs[i] = source;
    }
  }

  // A product reads a transposed matrix as it lies, and keeps its order of additions: a matrix that it sums along in
  // strips stays as it is.
  void fold_transposes(Node& node) const {
    MatmulFlags flags(node.attributes);
    const auto along_k = [&](const MatmulFlags& with, const std::vector<NodeId>& inputs) {
      return multiplies_along_k(with, shape(inputs[0]), shape(inputs[1]));
    };
    const bool strips = sums_in_strips(node.attributes, shape(node.inputs[0]), shape(node.inputs[1]));
    for (std::size_t i = 0; i < 2; ++i) {
      const Node& operand = at(node.inputs[i]);
      if (operand.op != &def_transpose || !swaps_last(operand.attributes.get<Ints>("axes"))) continue;
      MatmulFlags folded = flags;
      std::vector<NodeId> inputs = node.inputs;
      bool& flag = i == 0 ? folded.transpose_a : folded.transpose_b;
      flag = !flag;
      inputs[i] = operand.inputs[0];
      if (strips && !along_k(folded, inputs)) continue;
      node.inputs = inputs;
      flags = folded;
    }
    node.attributes = {{"transpose_a", flags.transpose_a}, {"transpose_b", flags.transpose_b}};
    if (!strips && along_k(flags, node.inputs)) node.attributes.set("in_order", true);
  }

  static bool swaps_last(const Ints& axes) {
    const auto rank = static_cast<std::int64_t>(axes.size());
    for (std::int64_t i = 0; i < rank - 2; ++i)
      if (axes[static_cast<std::size_t>(i)] != i) return false;
    return rank >= 2 && axes[axes.size() - 2] == rank - 1 && axes[axes.size() - 1] == rank - 2;
  }

  // A scalar constant 1, however reshaped or repeated.
  bool is_one(NodeId id) const {
    while (at(id).op == &def_broadcast_to || at(id).op == &def_reshape) id = at(id).inputs[0];
    const Node& node = at(id);
    if (!node.data || node.type.shape.size() != 1) return false;
    if (node.type.dtype == DType::f32) return *reinterpret_cast<const float*>(node.data->data()) == 1.0f;
    return node.type.dtype == DType::f64 && *reinterpret_cast<const double*>(node.data->data()) == 1.0;
  }

  const Graph& from_;
  Graph& to_;
  std::vector<NodeId> map_;
};

std::vector<bool> live_nodes(const Graph& graph, const std::vector<NodeId>& outputs) {
  std::vector<bool> live(static_cast<std::size_t>(graph.size()), false);
  for (const std::vector<NodeId>* roots : {&outputs, &graph.stores(), &graph.inputs()})
    for (NodeId id : *roots) live[static_cast<std::size_t>(id)] = true;
  for (NodeId id = graph.size() - 1; id >= 0; --id)
    if (live[static_cast<std::size_t>(id)])
      for (NodeId input : graph[id].inputs) live[static_cast<std::size_t>(input)] = true;
  return live;
}

}  // namespace

Simplified simplify(const Graph& graph, const std::vector<NodeId>& outputs) {
  Simplified result;
  Simplifier simplifier(graph, result.graph);
  simplifier.run(live_nodes(graph, outputs));
  for (NodeId id : outputs) result.outputs.push_back(simplifier(id));
  return result;
}

}  // namespace ranvier
