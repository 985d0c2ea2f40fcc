using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace JobHost.Samples;

/// <summary>The smallest job: a method, registered like an endpoint of a minimal API.</summary>
public static class HelloJob
{
    /// <summary>Greets somebody, in the run's log and in its result.</summary>
    public static Task<Hello> GreetAsync(
        JobContext context,
        [Description("Whom to greet."), StringLength(200, MinimumLength = 1)] string name = "world"
    )
    {
        ArgumentNullException.ThrowIfNull(context);
        var greeting = $"Hello, {name}!";
        context.Logger.Greeted(greeting);
        return Task.FromResult(new Hello(greeting));
    }
}

/// <param name="Greeting">What was said.</param>
public sealed record Hello(string Greeting);
