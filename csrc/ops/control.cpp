#include "ops/control.h"

#include <utility>

#include "ops/gradient.h"

namespace ranvier {
namespace {

const TensorType kPlaceholder{DType::f32, Shape{0}};

const Body& body_of(const Attributes& attributes, const std::string& name) { return *attributes.get<BodyPtr>(name); }

std::string str(const TensorType& type) { return std::string(name_of(type.dtype)) + type.shape.str(); }

Shape slice_of(const Shape& shape) {
  Shape result;
  for (int i = 1; i < shape.rank(); ++i) result.push_back(shape[i]);
  return result;
}

TensorType stacked(const TensorType& slice, std::int64_t length) {
  Shape shape{length};
  for (std::int64_t dim : slice.shape) shape.push_back(dim);
  return {slice.dtype, shape};
}

void check_inputs(const InferArgs& args, const Body& body, std::size_t skipped) {
  require(body.graph.inputs().size() == args.inputs.size() - skipped, args.op, ": the body takes ", body.graph.inputs().size(),
          " values, got ", args.inputs.size() - skipped, ".");
}

void check_type(const InferArgs& args, const char* what, std::size_t i, const TensorType& expected, const TensorType& got) {
  require(expected == got, args.op, ": ", what, " ", i, " should be ", str(expected), ", but is ", str(got), ".");
}

TensorType infer_branch(const InferArgs& args) {
  require(args.inputs[0] == TensorType{DType::i32, {}}, "branch: the index must be an int32 scalar, got ", str(args.inputs[0]), ".");
  const std::int64_t count = args.attributes.get<std::int64_t>("branches");
  require(count >= 1, "branch: expected at least one branch.");
  const Body& first = body_of(args.attributes, "body0");
  for (std::int64_t k = 0; k < count; ++k) {
    const Body& body = body_of(args.attributes, "body" + std::to_string(k));
    check_inputs(args, body, 1);
    for (std::size_t i = 1; i < args.inputs.size(); ++i) check_type(args, "operand", i - 1, body.input(i - 1), args.inputs[i]);
    require(body.outputs.size() == first.outputs.size(), "branch: branch 0 has ", first.outputs.size(), " outputs, branch ", k, " has ",
            body.outputs.size(), ".");
    for (std::size_t i = 0; i < body.outputs.size(); ++i) check_type(args, "output", i, first.output(i), body.output(i));
  }
  return kPlaceholder;
}

TensorType infer_loop(const InferArgs& args) {
  const Body& body = body_of(args.attributes, "body");
  const std::int64_t length = args.attributes.get<std::int64_t>("length");
  const auto invariants = static_cast<std::size_t>(args.attributes.get<std::int64_t>("invariants"));
  const auto carries = static_cast<std::size_t>(args.attributes.get<std::int64_t>("carries"));
  args.attributes.get<bool>("reverse");
  require(length >= 0, "loop: the number of iterations cannot be negative, got ", length, ".");
  check_inputs(args, body, 0);
  require(body.outputs.size() >= carries, "loop: the body must return ", carries, " carries, got ", body.outputs.size(), " values.");
  for (std::size_t i = 0; i < args.inputs.size(); ++i) {
    if (i < invariants + carries) {
      check_type(args, "value", i, body.input(i), args.inputs[i]);
      continue;
    }
    const Shape& shape = args.inputs[i].shape;
    require(shape.rank() >= 1 && shape[0] == length, "loop: expected ", length, " slices along axis 0, got shape ", shape.str(), ".");
    check_type(args, "slice", i, body.input(i), {args.inputs[i].dtype, slice_of(shape)});
  }
  for (std::size_t c = 0; c < carries; ++c) check_type(args, "carry", c, body.input(invariants + c), body.output(c));
  return kPlaceholder;
}

TensorType infer_while(const InferArgs& args) {
  const Body &body = body_of(args.attributes, "body"), &condition = body_of(args.attributes, "condition");
  const auto invariants = static_cast<std::size_t>(args.attributes.get<std::int64_t>("invariants"));
  args.attributes.get<std::int64_t>("limit");
  check_inputs(args, body, 0);
  check_inputs(args, condition, 0);
  require(condition.outputs.size() == 1 && condition.output(0) == TensorType{DType::b8, {}},
          "while_loop: the condition must be a bool scalar.");
  require(body.outputs.size() + invariants == args.inputs.size(), "while_loop: the body must return ", args.inputs.size() - invariants,
          " values, got ", body.outputs.size(), ".");
  for (std::size_t i = 0; i < args.inputs.size(); ++i) {
    check_type(args, "value", i, body.input(i), args.inputs[i]);
    check_type(args, "value", i, condition.input(i), args.inputs[i]);
    if (i >= invariants) check_type(args, "carry", i - invariants, body.input(i), body.output(i - invariants));
  }
  return kPlaceholder;
}

TensorType infer_item(const InferArgs& args) {
  args.attributes.get<std::int64_t>("index");
  return {args.attributes.get<DType>("dtype"), Shape(args.attributes.get<Ints>("shape"))};
}

// inputs: the value, the arguments that it was computed from, what the rule needs besides. `body`: a function of the
// value's gradient and the latter -> the gradients of the arguments.
TensorType infer_custom(const InferArgs& args) {
  const Body& body = body_of(args.attributes, "body");
  const std::size_t rest = body.graph.inputs().size() - 1, given = args.inputs.size() - 1;
  require(body.input(0) == args.inputs[0] && body.outputs.size() + rest == given,
          "custom_gradient: the gradient function must return one gradient for each argument.");
  for (std::size_t i = 0; i < body.outputs.size(); ++i) check_type(args, "gradient", i, args.inputs[i + 1], body.output(i));
  return args.inputs[0];
}
void grad_custom(GradArgs& a) {
  const BodyPtr body = a.attributes().get<BodyPtr>("body");
  const int arguments = static_cast<int>(body->outputs.size());
  std::vector<NodeId> inputs{a.g};
  for (int i = 1 + arguments; i < a.inputs(); ++i) inputs.push_back(a.in(i));
  const std::vector<NodeId> gradients = inline_body(a.b.graph(), *body, inputs);
  for (int i = 0; i < arguments; ++i) a.set(i + 1, gradients[static_cast<std::size_t>(i)]);
}

}  // namespace

LoopParts loop_parts(const Node& node) {
  const Body& body = body_of(node.attributes, "body");
  const auto invariants = static_cast<std::size_t>(node.attributes.get<std::int64_t>("invariants"));
  const auto carries = static_cast<std::size_t>(node.attributes.get<std::int64_t>("carries"));
  return {body, node.attributes.get<std::int64_t>("length"), node.attributes.get<bool>("reverse"), invariants, carries,
          node.inputs.size() - invariants - carries, body.outputs.size() - carries};
}

std::vector<BodyPtr> branch_bodies(const Node& node) {
  std::vector<BodyPtr> result;
  for (std::int64_t k = 0; k < node.attributes.get<std::int64_t>("branches"); ++k)
    result.push_back(node.attributes.get<BodyPtr>("body" + std::to_string(k)));
  return result;
}

std::vector<TensorType> item_types(const Node& node) {
  std::vector<TensorType> types;
  if (node.op == &def_branch) {
    const Body& body = body_of(node.attributes, "body0");
    for (std::size_t i = 0; i < body.outputs.size(); ++i) types.push_back(body.output(i));
  } else if (node.op == &def_while_loop) {
    const Body& body = body_of(node.attributes, "body");
    for (std::size_t i = 0; i < body.outputs.size(); ++i) types.push_back(body.output(i));
  } else {
    const LoopParts parts = loop_parts(node);
    for (std::size_t i = 0; i < parts.carries; ++i) types.push_back(parts.body.output(i));
    for (std::size_t i = 0; i < parts.stacked; ++i) types.push_back(stacked(parts.body.output(parts.carries + i), parts.length));
    for (std::size_t i = 0; i < parts.carries; ++i) types.push_back(stacked(parts.body.output(i), parts.length));
  }
  return types;
}

std::size_t item_index(const Node& item) { return static_cast<std::size_t>(item.attributes.get<std::int64_t>("index")); }

NodeId add_item(Graph& graph, NodeId control, std::size_t index) {
  const TensorType type = item_types(graph[control]).at(index);
  return graph.add(def_item, {control},
                   {{"index", static_cast<std::int64_t>(index)}, {"dtype", type.dtype}, {"shape", type.shape.to_vector()}});
}

NodeId add_branch(Graph& graph, std::vector<NodeId> inputs, const std::vector<BodyPtr>& bodies) {
  Attributes attributes{{"branches", static_cast<std::int64_t>(bodies.size())}};
  for (std::size_t k = 0; k < bodies.size(); ++k) attributes.set("body" + std::to_string(k), bodies[k]);
  return graph.add(def_branch, std::move(inputs), std::move(attributes));
}

NodeId add_loop(Graph& graph, std::vector<NodeId> inputs, BodyPtr body, std::int64_t length, bool reverse, std::size_t invariants,
                std::size_t carries) {
  return graph.add(def_loop, std::move(inputs),
                   {{"body", std::move(body)},
                    {"length", length},
                    {"reverse", reverse},
                    {"invariants", static_cast<std::int64_t>(invariants)},
                    {"carries", static_cast<std::int64_t>(carries)}});
}

// They poll for interrupts and may refuse data inside, so they run before anything is written.
const OpDef def_branch = {"branch", 1, 1 << 16, kControl | kFallible, infer_branch, nullptr};
const OpDef def_loop = {"loop", 1, 1 << 16, kControl | kFallible, infer_loop, nullptr};
const OpDef def_while_loop = {"while_loop", 1, 1 << 16, kControl | kFallible, infer_while, nullptr};
const OpDef def_item = {"item", 1, 1, kProjection, infer_item, nullptr};
const OpDef def_custom_gradient = {"custom_gradient", 1, 1 << 16, kAlias | kCopy, infer_custom, grad_custom};

}  // namespace ranvier
