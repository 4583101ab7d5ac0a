// A program: a graph compiled to a flat list of steps over one arena.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "graph/graph.h"
#include "passes/schedule.h"
#include "runtime/profile.h"

namespace ranvier {

class Program {
 public:
  // `outputs` are readable after readout(). `fuse` = false runs every operation as a step of its own (for tests).
  // `name`: what profiles call it.
  Program(const Graph& graph, const std::vector<NodeId>& outputs, bool fuse = true, std::string name = "");
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // A program has one arena, so it serves one caller at a time, from writing the inputs to reading the outputs. A
  // program that writes no variables serves more: it is copied, but for the variables and
  // constants, up to twice for each processor (a caller may be waiting for one) and as long as the copies' arenas stay small.
  enum class Use { kAlone, kCopies };  // the program itself (its outputs may be read in a later lease), or any copy
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), program_(other.program_) {}
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { release(); }
    explicit operator bool() const { return owner_ != nullptr; }
    Program& operator*() const { return *program_; }

   private:
    friend class Program;
    Lease(Program* owner, Program* program) : owner_(owner), program_(program) {}
    void release();
    Program *owner_ = nullptr, *program_ = nullptr;  // the owner must outlive the lease
  };
  Lease lease(Use use);      // waits
  Lease try_lease(Use use);  // empty where lease() would wait

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
  // The same, measured; without profiles just the same.
  bool run(const Profiles& profiles) { return profiles.empty() ? run() : run_measured(profiles); }
  void readout(const Profiles& profiles);

  // Has the program read an input elsewhere than in its arena from now on. It never writes there.
  void bind_input(std::size_t i, const void* data);
  // Has it write an output elsewhere, which must not overlap with anything that it reads. False, and nothing changed, for
  // an output that it does not compute (an input, a constant) or that is also another output.
  bool bind_output(std::size_t k, void* data);

  // Uses `memory` (arena_bytes() of it, aligned to 64) in place of an arena of its own.
  void move_to(void* memory);

  std::int64_t arena_bytes() const { return arena_bytes_; }
  std::size_t step_count() const { return steps_.size(); }
  std::string text() const;  // the steps, one a line
  const std::string& name() const { return name_; }
  std::uint64_t serial() const { return serial_; }  // no two programs of a process have the same
  const char* phase_of(std::size_t step) const;
  const std::shared_ptr<const Cost>& cost_of(std::size_t step) const { return steps_[step].cost; }

 private:
  friend class ProgramBuilder;

  // Where the address of a value stands.
  struct Slots {
    std::vector<std::pair<std::size_t, std::size_t>> steps;  // (step, operand)
    std::vector<std::size_t> outputs;                        // that are an input themselves
  };

  Program(const Program& original, AlignedBuffer arena);  // a copy for another caller
  std::unique_ptr<Program> copy() const;
  bool run_measured(const Profiles& profiles);

  std::string name_;
  std::uint64_t serial_;
  std::vector<Step> steps_;
  std::size_t commit_begin_ = 0, readout_begin_ = 0;
  AlignedBuffer arena_;
  std::byte* base_ = nullptr;  // of the arena, its own or lent
  std::int64_t arena_bytes_ = 0;
  std::vector<Slots> input_slots_, output_slots_;  // the latter empty where an output cannot be bound
  std::vector<void*> inputs_;
  std::vector<const void*> outputs_;
  std::vector<TensorType> input_types_, output_types_;
  std::vector<VariablePtr> variables_;                          // kept alive
  std::vector<std::shared_ptr<std::vector<std::byte>>> constants_;  // likewise
  bool alone_ = false;  // writes variables: there are no copies

  std::mutex mutex_;  // of what follows: who uses what
  std::condition_variable returned_;
  bool in_use_ = false;
  int copies_ = 0;
  std::vector<std::unique_ptr<Program>> idle_;
};

}  // namespace ranvier
