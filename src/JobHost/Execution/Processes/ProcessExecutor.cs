using JobHost.Execution.Limits;
using JobHost.Execution.Output;

namespace JobHost.Execution.Processes;

/// <summary>How a worker is started: this program again, with another verb.</summary>
/// <param name="File">An absolute path.</param>
/// <param name="Arguments">What stands before the verb.</param>
internal sealed record WorkerProgram(string File, IReadOnlyList<string> Arguments);

/// <summary>Runs jobs and commands in worker processes, one for each attempt.</summary>
internal sealed class ProcessExecutor(
    WorkerPool workers,
    WorkerEnvironment environment,
    RunFolders folders,
    LimitControllers controllers,
    TimeProvider time
) : IExecutor
{
    public JobKind Kind => JobKind.Process;

    public RunExecution Start(ExecutionOrder order) =>
        new ProcessExecution(order, workers, environment, folders, controllers, time);
}
