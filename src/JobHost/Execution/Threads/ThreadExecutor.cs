using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Execution.Threads;

/// <summary>Runs blocking jobs, each on a named thread of its own.</summary>
internal sealed class ThreadExecutor(IServiceScopeFactory scopes, TimeProvider time) : IExecutor
{
    public JobKind Kind => JobKind.Thread;

    public RunExecution Start(ExecutionOrder order)
    {
        var execution = new ThreadExecution(order, scopes, time);
        execution.Begin();
        return execution;
    }
}
