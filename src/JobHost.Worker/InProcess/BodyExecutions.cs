using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.InProcess;

/// <summary>Starts code inside this process, in the way that its form asks for.</summary>
internal sealed class BodyExecutions(IServiceScopeFactory scopes, StepScheduler steps, TimeProvider time)
{
    /// <summary>Starts the code. What goes wrong is its outcome, not an exception.</summary>
    internal BodyExecution Start(BodyOrder order) =>
        order.Body.Form switch
        {
            JobForm.Blocking => new ThreadExecution(order, scopes, time),
            JobForm.Steps => new StepExecution(order, scopes, steps, time),
            _ when order.OwnThread => new OwnThreadExecution(order, scopes, time),
            _ => new TaskExecution(order, scopes, time),
        };
}
