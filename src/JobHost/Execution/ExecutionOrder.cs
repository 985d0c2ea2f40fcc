using JobHost.Execution.Output;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Worker.Bodies;
using JobHost.Worker.Running;

namespace JobHost.Execution;

/// <summary>What an executor is given to start an attempt.</summary>
internal sealed class ExecutionOrder
{
    public required Run Run { get; init; }

    public required JobDefinition Job { get; init; }

    /// <summary>Where its parameters are, where they are too large for its record.</summary>
    public ParametersFile? ParametersFile { get; init; }

    public required RunContext Context { get; init; }

    public required RunOutput Output { get; init; }

    /// <summary>Called when the attempt's code has ended but processes of it withstand their removal.</summary>
    public required Action<string> OnLingering { get; init; }
}

/// <summary>Starts attempts of one kind.</summary>
internal interface IExecutor
{
    JobKind Kind { get; }

    /// <summary>Starts the attempt. What goes wrong is its end, not an exception.</summary>
    RunExecution Start(ExecutionOrder order);
}
