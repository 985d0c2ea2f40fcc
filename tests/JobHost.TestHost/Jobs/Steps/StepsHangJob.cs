using System.Runtime.CompilerServices;

namespace JobHost.TestHost.Jobs.Steps;

/// <summary>
/// Takes one step and never comes back from the second, token or not: between steps it could be left, within one it is
/// stuck until the file <c>release</c> appears. It holds no thread, so other step jobs must go on.
/// </summary>
internal sealed class StepsHangJob : IStepJob<ReleaseParameters>
{
    public async IAsyncEnumerable<Step> RunAsync(
        ReleaseParameters parameters,
        JobContext context,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var marker = new Marker(parameters.Marker);
        try
        {
            marker.WriteLine("step 1");
            yield return Step.Next;
            var bound = new Bound(parameters.Seconds, parameters.Release);
            while (!bound.IsOver)
            {
                marker.Beat();
                await Task.Delay(Marker.Interval, CancellationToken.None);
            }
        }
        finally
        {
            marker.WriteLine("finally");
        }
    }
}
