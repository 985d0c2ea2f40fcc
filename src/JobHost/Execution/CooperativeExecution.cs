using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Execution;

/// <summary>An attempt inside the host whose code can only be asked to stop, wherever it is that it takes note of it.</summary>
internal abstract class CooperativeExecution(ExecutionOrder order, IServiceScopeFactory scopes, TimeProvider time)
    : RunExecution
{
    protected ExecutionOrder Order => order;

    protected TimeProvider Time => time;

    /// <summary>What it proves when the call has returned.</summary>
    protected abstract string Proof { get; }

    internal override async Task<string?> ClimbAsync(
        Rung rung,
        StopNotice notice,
        TimeSpan grace,
        CancellationToken goOn
    )
    {
        if (rung == Rung.Cancel)
        {
            order.Context.RequestStop(notice);
        }
        await EndsWithinAsync(grace, time, goOn);
        return null;
    }

    /// <summary>Calls the job's code and awaits it.</summary>
    protected abstract Task<BodyOutcome> CallAsync(IServiceProvider services, object? parameters);

    /// <summary>The whole life of the attempt, its scope included.</summary>
    protected async Task<ExecutionEnd> RunAsync()
    {
        BodyOutcome outcome;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var parameters = order.Job.Body!.ReadParameters(order.Run.Parameters ?? default, out _);
            outcome = await CallAsync(scope.ServiceProvider, parameters);
        }
        catch (Exception exception)
        {
            // Whatever job code throws is its outcome.
            outcome = BodyOutcome.Threw(exception, order.Context);
        }
        return ExecutionEnd.From(outcome, Proof);
    }
}
