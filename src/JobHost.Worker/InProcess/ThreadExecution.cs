using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.InProcess;

/// <summary>A blocking body on a named thread of its own. It has ended when the thread has.</summary>
internal sealed class ThreadExecution : ThreadedExecution
{
    private readonly IServiceScopeFactory scopes;

    internal ThreadExecution(BodyOrder order, IServiceScopeFactory scopes, TimeProvider time)
        : base(order, time)
    {
        this.scopes = scopes;
        Thread.Begin();
    }

    internal override string Proof => "the thread ended";

    protected override BodyOutcome RunCode() =>
        Thread.Open(() =>
        {
            try
            {
                using var scope = new BlockingScope(scopes);
                var parameters = Order.ReadParameters();
                var call = Order.Body.Prepare(scope.Services, parameters, Order.Context);
                object? result = null;
                if (!Order.MayAbort)
                {
                    result = call();
                }
                else if (!Thread.TryCall(() => result = call()))
                {
                    return new(BodyEnding.Aborted);
                }
                return BodyOutcome.Returned(result, Order.Context.ResultFile);
            }
            catch (Exception exception)
            {
                // Whatever job code throws is its outcome.
                return OutcomeOf(exception);
            }
        });
}
