namespace JobHost.TestHost.Jobs.Tasks;

/// <summary>A method that takes its parameters by name, in the manner of minimal APIs, and tells what arrived.</summary>
internal static class DelegateParams
{
    internal static Task<object> EchoAsync(string text, DayOfWeek day, double? ratio, int count = 3) =>
        Task.FromResult<object>(
            new
            {
                Text = text,
                Count = count,
                Day = day,
                Ratio = ratio,
            }
        );
}
