import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

public class Main {
    record Planet(String name, double mass, int moons) {}

    public static void main(String[] arguments) {
        var planets = List.of(
            new Planet("Mercury", 0.055, 0),
            new Planet("Venus", 0.815, 0),
            new Planet("Earth", 1, 1),
            new Planet("Mars", 0.107, 2),
            new Planet("Jupiter", 317.8, 95),
            new Planet("Saturn", 95.2, 146));
        var heaviest = planets.stream().max(Comparator.comparingDouble(Planet::mass)).orElseThrow();
        System.out.printf("The heaviest is %s, of %.1f Earths.%n", heaviest.name(), heaviest.mass());
        var without = planets.stream().filter(planet -> planet.moons() == 0).map(Planet::name);
        System.out.println("Without a moon: " + without.collect(Collectors.joining(", ")) + ".");
    }
}
