namespace JobHost.TestHost.Jobs;

/// <summary>
/// A computation without calls. Where an abort hits a thread in a short method that was called from elsewhere, the runtime
/// (10.0, Linux) often brings down the whole process; jobs whose abort is to be seen must hardly ever be there. So it takes some
/// hundred milliseconds, beside which a beat is nothing.
/// </summary>
internal static class Computing
{
    internal static long Briefly()
    {
        var sum = 0L;
        for (var i = 0; i < 200_000_000; i++)
        {
            sum += i ^ sum;
        }
        return sum;
    }
}
