// A plan: a graph compiled to a flat list of steps, without any memory of its own. It never changes, so all who run it share
// it; what differs between them is a frame (frame.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "graph/graph.h"

namespace ranvier {

class Plan;
using PlanPtr = std::shared_ptr<const Plan>;

class Plan {
 public:
  // Where the address of a step's operand comes from.
  enum class Place : std::uint8_t {
    kNone,      // an output that nobody wants
    kArena,     // `offset` bytes into the frame's arena
    kInput,     // input `index` of the frame, which may be bound to other memory
    kOutput,    // output `index` of the frame, likewise
    kVariable,  // the memory of variable `index`
    kConstant,  // constant `index`
    kBody,      // the frame of body `index`, for steps that run other plans
  };
  struct Operand {
    Place place = Place::kNone;
    std::uint32_t index = 0;
    std::int64_t offset = 0;
  };

  // An input or an output: what it is, and where it lies unless it is bound elsewhere.
  struct Value {
    TensorType type;
    Operand home;
    std::vector<std::uint32_t> uses;     // numbers of operands that are this value; of an output only if it can be bound
    std::vector<std::uint32_t> outputs;  // of an input: the outputs that it is itself
  };

  // A plan that a step runs, with its arena in that step's scratch.
  struct Body {
    PlanPtr plan;
    std::int64_t offset;  // into the frame's arena
  };

  struct Constant {
    std::shared_ptr<const std::vector<std::byte>> host;
    Buffer copy;  // in the backend's memory, where that is not the host's
    const void* data() const { return copy.data() ? copy.data() : host->data(); }
  };

  Backend& backend() const { return *backend_; }
  const std::string& name() const { return name_; }       // what profiles call it
  std::uint64_t serial() const { return serial_; }        // no two plans of a process have the same
  bool writes_variables() const { return writes_variables_; }
  std::int64_t arena_bytes() const { return arena_bytes_; }  // values and scratch

  const std::vector<Value>& inputs() const { return inputs_; }
  const std::vector<Value>& outputs() const { return outputs_; }
  const std::vector<Step>& steps() const { return steps_; }
  // Steps [0, commit_begin) compute, [commit_begin, readout_begin) write variables, the rest computes what only outputs need.
  std::size_t commit_begin() const { return commit_begin_; }
  std::size_t readout_begin() const { return readout_begin_; }
  const char* phase_of(std::size_t step) const;
  std::string text() const;  // the steps, one a line

 private:
  friend class PlanBuilder;
  friend class Frame;

  Plan(Backend& backend, std::string name);

  Backend* backend_;
  std::string name_;
  std::uint64_t serial_;
  std::vector<Step> steps_;
  std::vector<std::uint32_t> first_operand_;  // of each step, and the end
  std::vector<Operand> operands_;
  std::size_t commit_begin_ = 0, readout_begin_ = 0;
  std::int64_t arena_bytes_ = 0, scratch_offset_ = 0;
  std::vector<Value> inputs_, outputs_;
  std::vector<VariablePtr> variables_;
  std::vector<Constant> constants_;
  std::vector<Body> bodies_;
  bool writes_variables_ = false;
};

// Compiles a graph for a backend. `outputs` are readable after a readout. `fuse` = false runs every operation as a step of
// its own (for tests).
PlanPtr make_plan(Backend& backend, const Graph& graph, const std::vector<NodeId>& outputs, bool fuse, std::string name);

}  // namespace ranvier
