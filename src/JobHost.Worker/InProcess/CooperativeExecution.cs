using System.Diagnostics;
using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.InProcess;

/// <summary>Code that can only be asked to stop, wherever it is that it takes note of it.</summary>
internal abstract class CooperativeExecution(BodyOrder order, IServiceScopeFactory scopes, TimeProvider time)
    : BodyExecution
{
    protected BodyOrder Order => order;

    protected TimeProvider Time => time;

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
        await Completion.EndsWithinAsync(grace, time, goOn);
        return null;
    }

    /// <summary>Calls the job's code and awaits it.</summary>
    protected abstract Task<BodyOutcome> CallAsync(IServiceProvider services, object? parameters);

    /// <summary>The whole life of the code, its scope included.</summary>
    protected async Task<BodyOutcome> RunAsync()
    {
        Activity.Current = order.Context.Activity;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var parameters = order.ReadParameters();
            return await CallAsync(scope.ServiceProvider, parameters);
        }
        catch (Exception exception)
        {
            // Whatever job code throws is its outcome.
            return BodyOutcome.Threw(exception, order.Context);
        }
    }
}
