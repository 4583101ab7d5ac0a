// A program: a graph compiled to a flat list of steps over one arena.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "graph/graph.h"
#include "passes/schedule.h"

namespace ranvier {

class Program {
 public:
  // `outputs` are readable after readout(). `fuse` = false runs every operation as a step of its own (for tests).
  Program(const Graph& graph, const std::vector<NodeId>& outputs, bool fuse = true);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // A program has one arena, so one caller at a time: hold this lock from writing the inputs to reading the outputs.
  std::mutex& mutex() { return mutex_; }

  std::size_t input_count() const { return input_types_.size(); }
  std::size_t output_count() const { return output_types_.size(); }
  const TensorType& input_type(std::size_t i) const { return input_types_[i]; }
  const TensorType& output_type(std::size_t i) const { return output_types_[i]; }
  void* input(std::size_t i) { return inputs_[i]; }
  const void* output(std::size_t i) const { return outputs_[i]; }

  // One step: computes, then writes the variables. False when it was interrupted before the first write: nothing has
  // changed then. Throws Error, likewise before the first write, when a step refuses its data.
  bool run();
  // Computes the outputs that run() left out. To be called after run(), before the inputs change.
  void readout();

  std::int64_t arena_bytes() const { return static_cast<std::int64_t>(arena_.size()); }
  std::size_t step_count() const { return steps_.size(); }
  std::string text() const;  // the steps, one a line

 private:
  friend class ProgramBuilder;

  std::vector<Step> steps_;
  std::size_t commit_begin_ = 0, readout_begin_ = 0;
  AlignedBuffer arena_;
  std::vector<void*> inputs_;
  std::vector<const void*> outputs_;
  std::vector<TensorType> input_types_, output_types_;
  std::vector<VariablePtr> variables_;                          // kept alive
  std::vector<std::shared_ptr<std::vector<std::byte>>> constants_;  // likewise
  std::mutex mutex_;
};

}  // namespace ranvier
